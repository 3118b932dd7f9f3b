"""A workspace in a Kubernetes cluster."""
