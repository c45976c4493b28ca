"""How a question is put into an address: what is selected, expanded and filtered, and how it is spelled."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from talk_pipeline.systems.businesscentral.description import Records

FILTER_CHARACTERS = 1_500  # an address should stay below 2,000


def conditions(described: Records, path: str, values: Sequence[str]) -> Iterator[str]:
    """Filters short enough for an address, of one field: `or` takes no two (page `odata-known-limitations`)."""
    condition = ""
    if path in described.properties and path not in described.own:  # of what it is made of, the first narrows
        path, values = described.keys[0], list(described.begun(values))
    for value in values:
        literal = described.kinds[path].literal(value)
        if literal is None:
            continue
        term = f"{path} eq {literal}"
        if condition and len(condition) + len(term) > FILTER_CHARACTERS:
            yield condition
            condition = ""
        condition = f"{condition} or {term}" if condition else term
    if condition:
        yield condition


def encoded(query: Mapping[str, str]) -> str:
    """A query with what is special in it escaped."""
    return "&".join(f"{key}={quote(value, safe='$,();=')}" for key, value in query.items())
