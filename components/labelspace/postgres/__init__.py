"""PostgreSQL with pgBackRest in one container, as data: its image, its settings; knows no target."""
