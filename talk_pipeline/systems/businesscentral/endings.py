"""What records come to in which others go on: invoices of an order, together. How they are found is in `client`."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from talk_pipeline.engine.model import Ended
from talk_pipeline.flows.endings import ClosedBy
from talk_pipeline.flows.scoping import Words, lies_in
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.values import text_of


def ended_as(
    found: Mapping[str, Sequence[Mapping[str, Any]]],
    described: EntitySet,
    ending: ClosedBy,
    scope: Words,
    refers: Sequence[str] = (),
) -> dict[str, Ended]:
    """What records came to, by what they were asked for.

    Args:
        found: what each may go on as, as received.
        described: the set in which they go on.
        ending: what is declared of that.
        scope: what that had to say of a record to be one of the flow: what says otherwise is another shop's, under
            the same key.
        refers: where the record refers to others, as far as that is asked.
    """
    own = {
        value: [row for row in rows if lies_in(scope, {path: _said(row, described, path) for path in scope})]
        for value, rows in found.items()
    }
    return {value: _sum_of(rows, described, ending, refers) for value, rows in own.items() if rows}


def _sum_of(
    rows: Sequence[Mapping[str, Any]], described: EntitySet, ending: ClosedBy, refers: Sequence[str]
) -> Ended:
    """The ids of records as received; what those that count come to, and what they name as having become them."""
    counting = [row for row in rows if not _is_left_out(row, described, ending)]
    comes_to = {name: str(sum((Decimal(row[name]) for row in counting), Decimal(0))) for name in ending.sums}
    was, *named = (
        [*dict.fromkeys(filter(None, (_said(row, described, path) for row in counting or rows)))]
        for path in (ending.record, *refers)
    )
    naming = [row for row in rows if _said(row, described, ending.record) in was[:1]]
    called = {name: _said(naming[0], described, path) for name, path in ending.called.items() if naming}
    return Ended(
        ids=[described.id_of(row) for row in rows],
        comes_to=comes_to,
        was=was,
        called=called,
        refers=dict(zip(refers, named, strict=True)),
        counts=bool(counting),
    )


def _is_left_out(row: Mapping[str, Any], described: EntitySet, ending: ClosedBy) -> bool:
    return any(_said(row, described, name) in words for name, words in ending.without.items())


def _said(row: Mapping[str, Any], described: EntitySet, name: str) -> Value:
    kind = described.kinds[name]
    return text_of(row[name], kind.read_as_blank, kind.name == "enum")
