"""Operations on this machine's Docker engine."""
