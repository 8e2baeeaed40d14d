"""The consultation: drafts, comments, official replies and the public site, and the core both sides share."""
