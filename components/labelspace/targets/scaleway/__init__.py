"""A workspace on Scaleway, by pulumiverse_scaleway."""
