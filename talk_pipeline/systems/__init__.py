"""The two systems behind one small protocol, and the HTTP concerns they share.

A connector decodes its wire format into text values and encodes them again; what a value means, and what is to be
written, is the engine's business.
"""
