"""A workspace on this machine's Docker engine, by pulumi_docker."""
