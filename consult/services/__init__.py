"""Writing. Functions of a session, values and the time; they flush and never commit."""
