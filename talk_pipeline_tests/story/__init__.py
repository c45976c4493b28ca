"""A story of edits on both sides, told line by line with what was to come of each: `make story`."""
