"""The connector of shops that are described."""
