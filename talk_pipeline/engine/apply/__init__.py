"""What is written, what came of it, and what both sides then agree on."""
