"""Flow files, and the canonical types they are written in."""
