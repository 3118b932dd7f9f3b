"""CVAT as data: its images, services, files and proxy rules; knows no target.

Source: cvat-ai/cvat at v2.73.0.
"""
