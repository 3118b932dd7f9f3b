"""Runs on the server, on the standard library alone: dumps with a record of what is in them, and drills."""
