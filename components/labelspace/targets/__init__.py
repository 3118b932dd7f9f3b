"""Where a workspace runs: one package per target, loaded only when a workspace uses it."""
