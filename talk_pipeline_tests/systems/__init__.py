"""The clients, as far as they can be looked at without a server."""
