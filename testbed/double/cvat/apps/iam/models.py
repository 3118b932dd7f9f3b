"""No tables of its own; the module makes Django tell it of migrations."""
