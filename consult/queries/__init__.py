"""Reading. Functions of a session that return frozen dataclasses; published.py alone says what is public."""
