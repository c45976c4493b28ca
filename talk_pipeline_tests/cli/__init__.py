"""The console script, as a script would use it."""
