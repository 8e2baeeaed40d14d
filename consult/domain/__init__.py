"""Rules. Pure and typed: no framework, no store, no settings, no clock."""
