"""The audit of annotations: conditions associated with a class, errors by group, sample weights."""
