"""Labeling workspaces as code: the components that a stack is made of."""
