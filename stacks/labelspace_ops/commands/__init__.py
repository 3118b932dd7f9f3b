"""The command line ``labelspace``: one thin file for each group of commands."""
