"""Forms of the staff pages: the shape of what is posted, and the values it makes."""
