"""Shops whose door is no API: what a database or files hold is read and written by the same description."""
