"""Target kubernetes."""
