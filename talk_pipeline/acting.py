"""For which of several companies this process acts at the moment; for the only one, unless somebody says so."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Company(NamedTuple):
    """One of several companies, and what it says otherwise than the environment.

    Attributes:
        name: of its folder, too.
        values: settings, by the names of their variables; a blank one is not set.
        secrets: the variable that holds each secret, by the name of its setting.
        flows: those that it synchronizes; without any, all.
        schedule: when it is read in full, as cron writes it; its queue is of the workers that do its runs.
    """

    name: str
    values: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}
    flows: tuple[str, ...] = ()
    schedule: str | None = None
    queue: str | None = None


_acting_for: ContextVar[Company | None] = ContextVar("acting_for", default=None)


@contextmanager
def acting_for(company: Company | None) -> Iterator[None]:
    """While settings that are loaded are those of a company."""
    token = _acting_for.set(company)
    try:
        yield
    finally:
        _acting_for.reset(token)


def acted_for() -> Company | None:
    """The company that is acted for; None where there is one only."""
    return _acting_for.get()
