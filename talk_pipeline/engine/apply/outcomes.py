"""What follows from an outcome, in one transaction: bases, links, conflicts, refusals, and what was answered."""

from collections.abc import Sequence
from dataclasses import replace

from talk_pipeline.engine.apply.bases import confirm, expect_recalculation
from talk_pipeline.engine.apply.effects import carry_over
from talk_pipeline.engine.apply.unkept import give_up_unkept
from talk_pipeline.engine.model import SEND_WITH, Decode, Intent, Outcome, Result, UnheededValue
from talk_pipeline.engine.plan.refusals import keep_in_force, refusals_in_force, refuse, refuse_values
from talk_pipeline.engine.snapshot.dirty import touch
from talk_pipeline.engine.snapshot.landing import merge_answers
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.journal import note_outcomes


def conclude(
    db: Connection,
    projector: Projector,
    decode: Decode,
    *,
    run_id: str,
    outcomes: Sequence[tuple[Intent, Outcome]],
) -> None:
    """Puts outcomes on disk with all that follows from them, in one transaction."""
    at = now()
    with transaction(db):
        touch(db, projector.flow.name)
        in_force = refusals_in_force(db, projector.flow, [intent.root_shop_id for intent, _ in outcomes])
        done = [(intent, outcome) for intent, outcome in outcomes if outcome.result is Result.DONE]
        expect_recalculation(db, [intent for intent, _ in done])
        landed = merge_answers(
            db, projector, decode, [outcome.record for _, outcome in outcomes if outcome.record]
        )
        refused = [(intent, outcome) for intent, outcome in outcomes if outcome.result is Result.REFUSED]
        refuse(db, projector.flow, refused)
        confirmed = carry_over(db, projector, done)
        unheeded = confirm(db, projector, run_id=run_id, confirmed=confirmed, landed=landed, at=at)
        unheeded = _explained(projector, done, unheeded)
        unkept = give_up_unkept(db, projector, run_id=run_id, confirmed=confirmed)
        refuse_values(db, projector.flow, [*unheeded, *unkept])
        keep_in_force(db, projector.flow, in_force)
        judged = [(intent, _judged(intent, outcome, unheeded)) for intent, outcome in outcomes]
        note_outcomes(db, judged, at=at)


def _explained(
    projector: Projector, done: Sequence[tuple[Intent, Outcome]], unheeded: Sequence[UnheededValue]
) -> list[UnheededValue]:
    """The same with why a value was not told, where that is so."""
    untold = {
        (intent.intent_id, name): outcome.untold[path]
        for intent, outcome in done
        for name, prop in projector.flow.root.by_name.items()
        for path in prop.paths(projector.side)
        if outcome.untold and path in outcome.untold
    }
    return [replace(one, why=untold.get((one.intent_id, one.name), "")) for one in unheeded]


def _judged(intent: Intent, outcome: Outcome, unheeded: Sequence[UnheededValue]) -> Outcome:
    """What came of a request, whatever was answered: one of which nothing was taken was refused."""
    own = [one for one in unheeded if one.intent_id == intent.intent_id]
    if not own:
        return outcome
    updates = [one for one in (intent.main, *intent.children) if one.operation == "update"]
    intended = [sent for one in updates for sent in one.sent.values() if sent.rule != SEND_WITH]
    nothing = len(updates) == 1 + len(intent.children) and len(own) == len(intended)
    reason = "; ".join(filter(None, (outcome.reason, *(one.reason for one in own))))
    return replace(outcome, result=Result.REFUSED if nothing else outcome.result, reason=reason)
