"""What a description says of a shop."""
