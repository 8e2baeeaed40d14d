"""The public site: forms, presenters and views."""
