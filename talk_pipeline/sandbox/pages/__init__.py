"""A few web pages on each server, to browse, search and edit its records by hand: ``/_sandbox/pages``.

::

    desk.py        what the pages need to know of a system: its sheets, their fields, how a record is written
    texts.py       what a form sends: which texts were typed, and what changed meanwhile
    site.py        the addresses, the same for both systems
    templates/     HTML without a script; every value is escaped

Each system has a desk of its own, made from the descriptions of its entities, that writes as its back office does.
"""
