"""The command line ``labelspace``: one module per group of commands."""
