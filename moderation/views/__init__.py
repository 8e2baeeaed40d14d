"""One module per staff page family; view modules do not import one another."""
