"""What each system said, and what a flow reads in it."""
