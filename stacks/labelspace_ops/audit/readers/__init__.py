"""Readers of annotation formats: each fills a ``Builder``."""
