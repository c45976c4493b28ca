"""Shops whose door is no API: what is kept in a database is read and written by the same description."""
