"""Operations per target: one package each."""
