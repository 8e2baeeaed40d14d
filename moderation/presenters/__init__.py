"""Read models to the words and flags of the staff templates, one module per family of pages."""
