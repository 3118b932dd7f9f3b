"""CVAT as data: its images, services, files and proxy rules; knows no target.

Source: cvat-ai/cvat; ``labelspace.cvat_lines`` says which versions.
"""
