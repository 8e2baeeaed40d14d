"""Stores, servers, factories and page objects for the tests."""
