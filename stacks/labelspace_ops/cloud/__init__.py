"""A workspace on Scaleway: the account that it is in, its life, and its status as seen from outside."""
