"""Staff-side rules: routing, deadlines, decisions. Pure and typed."""
