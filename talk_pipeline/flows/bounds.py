"""The most that a setting may ask for, wherever it stands: more is a slip, and no time can be reckoned with it."""

MOST_DAYS = 36_500
MOST_MINUTES = 366 * 24 * 60
MOST_HOURS = 366 * 24
MOST_SECONDS = 7 * 24 * 60 * 60
MOST = 1_000_000_000
"""Of what is counted."""
MOST_ROUNDS = 1_000
MOST_THREADS = 1_024
