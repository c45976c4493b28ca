"""What would be written where, and what must not be yet."""
