"""Tables: columns and constraints, no rules."""
