"""The journal: a request is on disk before it leaves, and its outcome before the next batch.

That makes a crash harmless. An intent without an outcome is looked for on its target (`run.recover`) before
anything is repeated.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from talk_pipeline.engine.model import SEND_WITH, Intended, Intent, Outcome, Sent
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.rows import insert, select
from talk_pipeline.engine.state.tables import (
    JournalChildRow,
    JournalRow,
    JournalValueRow,
    RecalculationRow,
    WrittenRow,
)
from talk_pipeline.flows.sides import Side


def intend(
    db: Connection, run_id: str, intents: Sequence[Intent], *, recalculated: Sequence[RecalculationRow]
) -> None:
    """Puts intents on disk; only then may their requests leave.

    Args:
        db: the state.
        run_id: the run that is to send them.
        intents: the requests.
        recalculated: what the receiver works out anew when it carries them out.
    """
    rows, children, values = [], [], []
    for intent in intents:
        main = intent.main
        rows.append(
            JournalRow(
                intent_id=intent.intent_id,
                run_id=run_id,
                flow=intent.flow,
                part=main.part,
                target=intent.target,
                operation=main.operation,
                shop_id=main.shop_id,
                bc_id=main.bc_id,
                root_shop_id=intent.root_shop_id,
                root_bc_id=intent.root_bc_id,
                natural_key=intent.natural_key,
                intent_at=now(),
            )
        )
        children += [
            JournalChildRow(
                intent_id=intent.intent_id,
                place=place,
                part=child.part,
                operation=child.operation,
                shop_id=child.shop_id,
                bc_id=child.bc_id,
            )
            for place, child in enumerate(intent.children, 1)
        ]
        values += [
            JournalValueRow(
                intent_id=intent.intent_id,
                place=place,
                property=name,
                source=one.source,
                sent=one.sent,
                before=one.before,
                rule=one.rule,
                conflict=one.conflict,
            )
            for place, record in enumerate((main, *intent.children))
            for name, one in record.sent.items()
        ]
    with transaction(db):
        for table in (rows, children, values, recalculated):
            insert(db, table)


def leave(db: Connection, flow: str, target: Side, intent_ids: Sequence[str], *, until: datetime) -> None:
    """Puts on disk that requests are about to leave; only then may they.

    Args:
        db: the state.
        flow: whose requests they are.
        target: where they go.
        intent_ids: the requests.
        until: when the receiver has certainly ended them.
    """
    db.execute(
        "update journal set left_at = ?, open_until = ?,"
        " skew_seconds = (select any_value(skew_seconds) from watermark where flow = ? and side = ?)"
        " where intent_id in (select unnest(?::varchar[]))",
        [now(), until, flow, target, list(intent_ids)],
    )


def bound(db: Connection, until: Mapping[str, datetime], *, skew_seconds: float) -> None:
    """Notes until when requests without an answer may be at work.

    Args:
        db: the state.
        until: that, by intent.
        skew_seconds: how far the receiver's clock is ahead of ours as this is said.
    """
    if not until:
        return
    db.execute(
        "update journal set outcome = 'unknown', open_until = u.until, skew_seconds = $skew"
        " from (select unnest($ids::varchar[]) as id, unnest($until::timestamp[]) as until) u"
        " where u.id = journal.intent_id",
        {"ids": list(until), "until": list(until.values()), "skew": skew_seconds},
    )


_OPEN_INTENTS = """
select intent_id, root_shop_id, root_bc_id, natural_key, intent_at, left_at, open_until,
       coalesce(skew_seconds, 0), outcome is null, reason
from journal where flow = ? and target = ? and is_open(outcome) order by intent_at
"""


def open_intents(db: Connection, flow: str, target: Side) -> list[Intent]:
    """Requests of which it is not known whether they were carried out, oldest first."""
    found = db.execute(_OPEN_INTENTS, [flow, target]).fetchall()
    if not found:
        return []
    sent = _records(db, [row[0] for row in found])
    return [
        Intent(flow, target, root, root_bc_id, *_main(sent[intent_id]), key, intent_id, *more)
        for intent_id, root, root_bc_id, key, *more in found
    ]


def _main(records: Sequence[Intended]) -> tuple[Intended, tuple[Intended, ...]]:
    return records[0], tuple(records[1:])


def _records(db: Connection, intent_ids: Sequence[str]) -> dict[str, list[Intended]]:
    """What requests write, each its record or child first."""
    where = "where intent_id in (select unnest($ids::varchar[])) order by intent_id, place, nth"
    found: dict[str, list[Intended]] = {}
    for (intent_id, _), rows in groupby(
        select(db, WrittenRow, where, {"ids": list(intent_ids)}), key=lambda one: (one.intent_id, one.place)
    ):
        values = list(rows)
        one = values[0]
        sent = {
            row.property: Sent(row.source, row.sent, row.before, row.rule or SEND_WITH, bool(row.conflict))
            for row in values
            if row.property is not None
        }
        intended = Intended(one.part, one.operation, one.shop_id, one.bc_id, sent)
        found.setdefault(intent_id, []).append(intended)
    return found


def note_outcomes(db: Connection, outcomes: Sequence[tuple[Intent, Outcome]], *, at: datetime) -> None:
    """What came of requests, in the caller's transaction."""
    db.execute(
        "update journal set outcome = o.outcome, reason = o.reason, outcome_at = $at,"
        " open_until = case when o.ended then null else open_until end"
        " from (select unnest($ids::varchar[]) as intent_id, unnest($results::varchar[]) as outcome,"
        " unnest($reasons::varchar[]) as reason, unnest($ended::boolean[]) as ended) o"
        " where o.intent_id = journal.intent_id",
        {
            "at": at,
            "ids": [intent.intent_id for intent, _ in outcomes],
            "results": [str(outcome.result) for _, outcome in outcomes],
            "reasons": [outcome.reason or None for _, outcome in outcomes],
            "ended": [outcome.ended for _, outcome in outcomes],
        },
    )
