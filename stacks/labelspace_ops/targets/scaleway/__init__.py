"""Operations on Scaleway: account, API, server over SSH."""
