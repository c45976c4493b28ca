"""What the tests prove, counted as it happens: kill matrix, fault grid, and the states that real runs reached."""
