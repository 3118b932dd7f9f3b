"""What annotations say beyond their labels: conditions that go with a class, errors by group, weights."""
