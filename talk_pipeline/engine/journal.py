"""Intent before a request leaves, outcome before the next batch: what makes a crash harmless.

An outcome moves, in one transaction, everything that follows from it: the bases of the properties that were
sent, links, conflicts, refusals, and what the system answered. An intent without an outcome is settled by
looking at the target (`sinks.recovering`) before anything is repeated.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from talk_pipeline.engine.bases import confirm, expect_recalculation, recalculations
from talk_pipeline.engine.intents import Intended, Intent
from talk_pipeline.engine.outcomes import carry_over
from talk_pipeline.engine.projection import Projector
from talk_pipeline.engine.records import Decode, Outcome, Result
from talk_pipeline.engine.refusals import keep_standing, refuse, refuse_values, standing_refusals
from talk_pipeline.engine.snapshots import Landing, merge, spool
from talk_pipeline.engine.state import Connection, insert_rows, now, transaction
from talk_pipeline.engine.unheeded import Kept
from talk_pipeline.engine.units import COMPANION, Sent
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow


def intend(db: Connection, flow: Flow, run_id: str, intents: Sequence[Intent]) -> None:
    """Puts intents on disk; only then may their requests leave."""
    rows = []
    recalculated = recalculations(db, flow, intents)
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


OPEN = "coalesce(outcome, 'unknown') = 'unknown'"

_OPEN_INTENTS = f"""
select intent_id, root_shop_id, natural_key, intent_at, details, left_at, open_until, outcome is null
from journal where flow = ? and target = ? and {OPEN} order by intent_at
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


def settle(
    db: Connection,
    projector: Projector,
    decode: Decode,
    *,
    run_id: str,
    outcomes: Sequence[tuple[Intent, Outcome]],
) -> None:
    """Puts outcomes on disk with all that follows from them, in one transaction."""
    with transaction(db):
        standing = standing_refusals(db, projector.flow, [intent.root_shop_id for intent, _ in outcomes])
        done = [(intent, outcome) for intent, outcome in outcomes if outcome.result is Result.DONE]
        expect_recalculation(db, [intent for intent, _ in done])
        spool(db, [outcome.record for _, outcome in outcomes if outcome.record])
        merge(db, projector, decode, landing=Landing(own=True))
        for intent, outcome in outcomes:
            if outcome.result is Result.REFUSED:
                refuse(
                    db,
                    projector.flow,
                    intent,
                    reason=outcome.reason,
                    about_another=outcome.about_another,
                    kind=outcome.refusal,
                )
        kept = confirm(db, projector, run_id=run_id, confirmed=carry_over(db, projector, done))
        refuse_values(db, projector.flow, kept)
        keep_standing(db, projector.flow, standing)
        _note(db, [(intent, _judged(intent, outcome, kept)) for intent, outcome in outcomes])


def _judged(intent: Intent, outcome: Outcome, kept: Sequence[Kept]) -> Outcome:
    """What came of a request, whatever was answered: one of which nothing was taken was refused."""
    own = [one for one in kept if one.intent_id == intent.intent_id]
    if not own:
        return outcome
    updates = [one for one in (intent.main, *intent.children) if one.operation == "update"]
    asked = [sent for one in updates for sent in one.sent.values() if sent.rule != COMPANION]
    nothing = len(updates) == 1 + len(intent.children) and len(own) == len(asked)
    said = "; ".join(filter(None, (outcome.reason, *(one.reason for one in own))))
    return replace(outcome, result=Result.REFUSED if nothing else outcome.result, reason=said)


def _note(db: Connection, outcomes: Sequence[tuple[Intent, Outcome]]) -> None:
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
