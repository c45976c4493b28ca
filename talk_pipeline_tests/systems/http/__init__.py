"""The client, limits and credentials, against servers that answer as a test wants."""
