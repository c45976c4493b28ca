"""Business Central, API v2.0: reading, writing by batch, and its spellings of values.

Where a comment names a page, it is one of Microsoft's documentation, by the end of its address below
`dynamics365/business-central/dev-itpro`. What no page says is from answers of live services.
"""
