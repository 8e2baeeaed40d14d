"""From read models to what a template prints: words, dates and flags. Nothing here reads a store or a request."""
