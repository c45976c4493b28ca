"""A list on its way from page to page: one that goes in a circle, or on and on without a record, has no end.

A list that breaks off is no list, so that nothing is missed by giving up.
"""

from collections import Counter

from talk_pipeline.systems.errors import UnavailableFault

MOST_TIMES = 2
"""A page that shows the one before it, since rows moved or an answer was kept, leads to where it is itself."""
MOST_EMPTY = 100
"""Pages in a row without a record: rows may be left out of an answer, but not of a hundred."""


class Trail:
    """The pages of one list that were asked for.

    Args:
        name: of the system, for messages.
        first: where the list begins.
    """

    def __init__(self, name: str, first: str) -> None:
        self._name = name
        self._first = first
        self._asked = Counter([first])
        self._empty = 0

    def goes_on(self, place: str, *, records: int) -> None:
        """The list leads to a place, after a page with so many records.

        Raises:
            UnavailableFault: it comes to no end.
        """
        self._asked[place] += 1
        self._empty = 0 if records else self._empty + 1
        endless = f"{self._name}: the list {self._first} comes to no end"
        if self._asked[place] > MOST_TIMES:
            raise UnavailableFault(f"{endless}: it leads to {place} again and again")
        if self._empty > MOST_EMPTY:
            raise UnavailableFault(f"{endless}: {self._empty} pages without a record, up to {place}")
