"""One module per public page family; view modules do not import one another."""
