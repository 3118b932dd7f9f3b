"""A first real run of the target scaleway, in a project of its own that is removed at the end."""
