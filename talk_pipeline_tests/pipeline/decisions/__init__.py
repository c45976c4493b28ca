"""What people decide, and what they are told before and after."""
