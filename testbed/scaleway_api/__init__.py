"""A double of Scaleway's API: exactly the calls that the components' resources make, no more.

``shapes.json`` has the fields of the real API's answers, as recorded with terraform-provider-scaleway
v2.80.0, each call with its source and date; a unit test compares the double with them. IAM and bucket
policies are evaluated (``authorization.py``). The double keeps its state in memory, answers 404, 409 and
asynchronous states as the real API does, and fails on demand (``Fault``). Buckets exist with their settings;
objects do not.
"""
