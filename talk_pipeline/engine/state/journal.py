"""The journal: a request is on disk before it leaves, and its outcome before the next batch.

That makes a crash harmless. An intent without an outcome is looked for on its target (`run.recover`) before
anything is repeated.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from talk_pipeline.engine.model import Intended, Intent, Outcome, Sent
from talk_pipeline.engine.state.database import Connection, insert_rows, now, transaction
from talk_pipeline.flows.properties import Side

Place = tuple[str, str, str]
"""Part, shop id and property of one value."""


def intend(
    db: Connection, run_id: str, intents: Sequence[Intent], *, recalculated: Mapping[str, Sequence[Place]]
) -> None:
    """Puts intents on disk; only then may their requests leave.

    Args:
        db: the state.
        run_id: the run that is to send them.
        intents: the requests.
        recalculated: by intent, what the receiver works out anew when it carries it out.
    """
    rows = []
    for intent in intents:
        main = intent.main
        details = json.dumps(
            {"root_bc_id": intent.root_bc_id}
            | asdict(main)
            | {"children": [asdict(child) for child in intent.children]}
            | {"recalculates": recalculated.get(intent.intent_id, [])}
        )
        head = (intent.intent_id, run_id, intent.flow, main.part, str(intent.target), main.operation)
        ids = (main.shop_id, main.bc_id, intent.root_shop_id, intent.natural_key)
        rows.append((*head, *ids, details, now(), None, None, None, None, None))
    with transaction(db):
        insert_rows(db, "journal", rows)


def leave(db: Connection, intent_ids: Sequence[str], *, until: datetime) -> None:
    """Puts on disk that requests are about to leave; only then may they.

    Args:
        db: the state.
        intent_ids: the requests.
        until: when the receiver has certainly ended them.
    """
    db.execute(
        "update journal set left_at = ?, open_until = ? where intent_id in (select unnest(?::varchar[]))",
        [now(), until, list(intent_ids)],
    )


def interrupted(db: Connection, intent_ids: Sequence[str], *, until: datetime) -> None:
    """Notes that requests were under way when their run ended, and until when they may be at work at most."""
    db.execute(
        "update journal set outcome = 'unknown', open_until = ? where intent_id in (select unnest(?::varchar[]))",
        [until, list(intent_ids)],
    )


_OPEN_INTENTS = """
select intent_id, root_shop_id, natural_key, intent_at, details, left_at, open_until, outcome is null
from journal where flow = ? and target = ? and is_open(outcome) order by intent_at
"""


def open_intents(db: Connection, flow: str, target: Side) -> list[Intent]:
    """Requests of which it is not known whether they were carried out, oldest first."""
    rows = db.execute(_OPEN_INTENTS, [flow, target]).fetchall()
    return [_restore(flow, target, *row) for row in rows]


def _restore(
    flow: str,
    target: Side,
    intent_id: str,
    root: str | None,
    key: str | None,
    at: datetime,
    text: str,
    *more: Any,
) -> Intent:
    details = json.loads(text)
    children = tuple(_intended(child) for child in details.pop("children"))
    root_bc_id = details.pop("root_bc_id")
    details.pop("recalculates", None)
    return Intent(flow, target, root, root_bc_id, _intended(details), children, key, intent_id, at, *more)


def _intended(details: dict[str, Any]) -> Intended:
    sent = {name: Sent(**one) for name, one in details.pop("sent").items()}
    return Intended(sent=sent, **details)


def note_outcomes(db: Connection, outcomes: Sequence[tuple[Intent, Outcome]]) -> None:
    """What came of requests, in the caller's transaction."""
    db.execute(
        "update journal set outcome = o.outcome, reason = o.reason, outcome_at = $at,"
        " open_until = case when o.ended then null else open_until end"
        " from (select unnest($ids::varchar[]) as intent_id, unnest($results::varchar[]) as outcome,"
        " unnest($reasons::varchar[]) as reason, unnest($ended::boolean[]) as ended) o"
        " where o.intent_id = journal.intent_id",
        {
            "at": now(),
            "ids": [intent.intent_id for intent, _ in outcomes],
            "results": [str(outcome.result) for _, outcome in outcomes],
            "reasons": [outcome.reason or None for _, outcome in outcomes],
            "ended": [outcome.ended for _, outcome in outcomes],
        },
    )
