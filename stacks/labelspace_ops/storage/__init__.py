"""Dataset buckets: clients, listings, uploads."""
