"""Business Central, API v2.0: reading, writing by batch, and its spellings of values."""
