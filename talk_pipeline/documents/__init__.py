"""Data-flow documents: what they say, which flow files follow, and whether the flows in use cover them.

`reader` makes a `model` of the text, `vocabulary` knows the names on both sides, `proposal` and `comparison` put
the two together. Nothing is asked of a system here.
"""
