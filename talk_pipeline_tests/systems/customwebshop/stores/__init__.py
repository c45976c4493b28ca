"""Shops behind their database."""
