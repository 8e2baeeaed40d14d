"""Writing for staff pages; every step appends its event in the same transaction."""
