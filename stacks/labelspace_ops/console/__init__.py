"""A web application on this machine over the same functions as the command line; no logic of its own."""
