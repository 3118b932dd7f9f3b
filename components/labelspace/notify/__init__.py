"""The notifier: a container that watches a workspace from inside and calls a webhook."""
