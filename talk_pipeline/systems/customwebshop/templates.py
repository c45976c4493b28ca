"""Addresses with names to fill in, such as `{item}/lines`; other braces, such as those of JSON in a query, stay."""

import re

_NAME = re.compile(r"\{(\w+)\}")


def filled(template: str, **values: str) -> str:
    """The address with each name's value; a name that has none stays as it is."""
    return _NAME.sub(lambda found: values.get(found[1], found[0]), template)


def unknown(template: str, allowed: tuple[str, ...]) -> bool:
    """Whether an address names anything else."""
    return any(name not in allowed for name in _NAME.findall(template))
