"""A Business Central API v2.0 server.

What each set consists of is data: the YAML files under ``entities/``. What a set does beyond storing its
properties is code, one module a subject::

    directory.py      the companies, and what an address means; service.py: what each method does with it
    urls.py           addresses; options.py, filters.py, reading.py: query options, pages, expansions
    bodies.py         what a body may hold; values.py: how each type is written and stored
    records.py        creating, changing, deleting: the rules all sets share
    customers.py, items.py, references.py, orders.py, order_lines.py: the rules of one set
    line_values.py    what the values of an order line bring with them
    addresses.py, pricing.py, posting.py: subjects several sets share
    replica.py        reads that are behind
    views.py, etags.py   what a stored record shows, and its version
    setup.py          the records a state starts with
    company.py        one company: its tables, its clock, its number series
    batch.py, tokens.py, metadata.py, subscriptions.py, notices.py: what lies beside the sets
    questions.py      where the documentation is silent: each answer a setting
    backoffice.py     what only people inside Business Central can do, under ``/_sandbox``
    app.py            all of it as one application

Error texts are the sandbox's own: the service's are localised and change, so that nobody should read them.
"""
