"""Which statements write what the state says of records, by their text.

What was found of that holds until the first of them: the connection forgets it then, whoever writes. Every
statement counts that does not plainly do something else, also where it turns out to change no row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import duckdb

ASIDE = frozenset({"check_result", "dirty", "meta", "run", "stage", "watermark"})
"""Tables that tell of runs and marks; no finding that is kept may hang on them, nor on temporary tables."""

FACTS = "meta"
"""The table of what is noted of the state as a whole, by key."""
FOUND = "found:"
"""How the facts begin that name the findings which hold."""
FORGET = f"delete from state.{FACTS} where starts_with(key, '{FOUND}')"
"""Of the state, whatever is written beside it meanwhile."""

_KIND = duckdb.StatementType
_ELSEWHERE = frozenset({_KIND.SET, _KIND.ATTACH, _KIND.DETACH})
_UNSETTLING = _ELSEWHERE | {_KIND.TRANSACTION}

# wherever it stands, within a query or a remark as well; only a literal that is this very word is none: 'update'
_WORD = re.compile(r"(?<!')\b(?:insert|update|delete|merge|truncate)\b(?!')", re.I)
_WRITES = re.compile(r"\s*(?:insert\s+into|update|delete\s+from|drop\s+table\s+if\s+exists)\s+(\w+)(?![\w.])")
_MAKES = re.compile(r"\s*create\s+(?:or\s+replace\s+)?temp\s+table\s+(?:if\s+not\s+exists\s+)?(\w+)(?![\w.])")
_COPIES_OUT = re.compile(r"\s*copy\s*\(")


@dataclass(frozen=True, slots=True)
class Statements:
    """A text that the database has read.

    Attributes:
        read: its statements.
        makes: the temporary tables it makes.
        writes: the tables it writes; nothing stands for one that is not told by the text.
        unsettles: it begins or ends a transaction, or goes to another file: what was forgotten may be back.
        retells: the facts may be others after it: it may write them, takes back what was done, or goes to another
            file.
    """

    read: Sequence[duckdb.Statement]
    makes: frozenset[str]
    writes: frozenset[str | None]
    unsettles: bool
    retells: bool


@lru_cache(maxsize=1024)
def statements(query: str) -> Statements:
    """Reads a text once, which takes as long as working out how to run it."""
    read = duckdb.extract_statements(query)
    makes: set[str] = set()
    writes: set[str | None] = set()
    for one in read:
        words = len(_WORD.findall(one.query))
        made, written = _MAKES.match(one.query), _WRITES.match(one.query)
        if one.type in _UNSETTLING:
            continue
        if made and not words:
            makes.add(made[1])
        elif written and words <= 1:
            writes.add(written[1])
        elif words or not (one.type == _KIND.SELECT or _COPIES_OUT.match(one.query)):
            writes.add(None)
    retells = not writes.isdisjoint({FACTS, None}) or any(map(_goes_back, read))
    unsettles = any(one.type in _UNSETTLING for one in read)
    return Statements(read, frozenset(makes), frozenset(writes), unsettles, retells)


def _goes_back(one: duckdb.Statement) -> bool:
    """Whether a statement goes to another file, or back to what was before a transaction."""
    kept = one.query.strip().rstrip(";").casefold() in ("begin", "commit")
    return one.type in _ELSEWHERE or (one.type == _KIND.TRANSACTION and not kept)
