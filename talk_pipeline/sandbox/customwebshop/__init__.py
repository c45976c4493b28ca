"""The web shop: customers, products and orders, in the reference API or another wire shape.

::

    fields.py        what each entity consists of, and what a value must look like
    entities.py      creating, patching, deleting: the rules all three share, and those of customers and products
    orders.py        lines, and the amounts that follow from them
    listing.py       pages and the cheap question of how much changed
    idempotency.py   creates that are sent twice
    webhooks.py      subscriptions and signed deliveries
    shop.py          all of it together: the records and rules beneath every wire shape
    profiles/        the wire shapes: the reference API, and others that real shops have or might have
    app.py           shop and profile as one service; backoffice.py: its side of ``/_sandbox``

The shop is easy-going on purpose: it knows text, numbers, dates and references, and leaves it to others to say
what a valid GTIN, currency or country is.
"""
