"""What labelspace relies on in ``cvat/server`` and ``cvat/ui``, as checks for any image of that name.

By default against the images tagged with the official names; ``LABELSPACE_CONTRACT_SERVER`` and
``LABELSPACE_CONTRACT_UI`` name others. Paths in docstrings are those of cvat-ai/cvat at v2.73.0.
"""
