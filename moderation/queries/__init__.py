"""Reading for staff pages; the viewer's scope is in the WHERE clause."""
