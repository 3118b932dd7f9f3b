"""Pulumi stacks: state, settings, updates."""
