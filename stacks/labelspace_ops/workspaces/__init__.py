"""Operations on workspaces: create, status, preview, stop, delete."""
