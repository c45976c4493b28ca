"""Change notices: received, and turned into an early look."""
