"""Access to the containers of a workspace."""
