"""A double of Scaleway's API: exactly the calls that the components' resources make, no more.

Shapes follow answers of the real API as recorded with terraform-provider-scaleway v2.80.0. It keeps its
state in memory, answers 404, 409 and asynchronous states as the real one does, and fails on demand
(``Fault``). Buckets exist with their settings; objects do not.
"""
