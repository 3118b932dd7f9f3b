"""Runs inside the database's container: backups on a schedule, drills, restores.

pgBackRest keeps the database, restic the files that CVAT keeps beside it; the label of pgBackRest's backup is
the tag of restic's snapshot, and the one identifier that users see.
"""
