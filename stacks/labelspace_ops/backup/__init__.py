"""Backups of a workspace on this machine: taken, listed, proven, restored.

What does the work runs inside of the database's container; here it is asked for.
"""
