"""Backups, drills and restores of an annotation database: one program with two engines.

``physical`` runs in the database's container: pgBackRest archives every change. ``logical`` dumps a database
that other people run: from a container of its own, or on a server at Scaleway. Both share the record of a
backup, the drill, the schedule, the drills' results and the command line. Standard library only.
"""
