"""The asset graph, made from the flows; the files stand in the order in which data passes through them.

Thin on purpose: no SQL, no HTTP, no rules. Each asset calls one function of `run` and shows what it did.
"""
