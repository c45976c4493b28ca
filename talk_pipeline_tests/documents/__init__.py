"""Data-flow documents: reading, proposing, comparing."""
