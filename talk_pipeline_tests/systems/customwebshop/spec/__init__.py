"""What a description says, and mistakes in it."""
