"""Shops behind the place where they keep their records."""
