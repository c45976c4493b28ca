"""Business Central: sets of any of its APIs as they are described; reading, writing by batch, its values.

Where a comment names a page, it is one of Microsoft's documentation, by the end of its address below
`dynamics365/business-central/dev-itpro`. What no page says is from answers of live services.
"""
