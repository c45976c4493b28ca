"""`talk-pipeline conflicts` and `acknowledge`: what was overwritten or lost, and that a person knows of it.

The first lists what the second takes note of, neither more nor less.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from talk_pipeline.cli.byhand import who
from talk_pipeline.cli.company import tell
from talk_pipeline.cli.exits import UsageError
from talk_pipeline.cli.tables import console, line, print_items, value
from talk_pipeline.cli.terminal import say
from talk_pipeline.declarations import flows_of
from talk_pipeline.engine.manual import acknowledging
from talk_pipeline.engine.manual.lookup import named_flow
from talk_pipeline.engine.plan.losses import Loss, losses
from talk_pipeline.engine.report.ages import age, seconds_since
from talk_pipeline.engine.report.conflicts import Conflict, unacknowledged, undecided
from talk_pipeline.engine.report.history import by_rule
from talk_pipeline.engine.state.connection import naive, now, stamp, to_the_millisecond
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline.wording import counted

Lost = tuple[str, Loss]
"""What was lost, with the flow that it is of."""


def print_conflicts(name: str | None, *, days: int | None, as_json: bool) -> None:
    """What nobody has acknowledged, of the last days or at all: conflicts, and records that were lost."""
    settings = Settings.load()
    flows = flows_of(settings)
    asked = [named_flow(flows, name)] if name else list(flows.values())
    read_at = to_the_millisecond(now())  # as it is told: what is acknowledged up to then is what is listed
    since = read_at - timedelta(days=days) if days else None
    with known_state(settings).once() as db:
        found = unacknowledged(db, asked, since=since)
        lost = [(flow.name, one) for flow in asked for one in losses(db, flow)]
        to_decide = undecided(db, asked)
    lost = [(flow, one) for flow, one in lost if since is None or one.lost_at >= since]
    if as_json:
        told: dict[str, Any] = {"days": days, "since": stamp(since), "read_at": stamp(read_at)}
        told |= {"conflicts": [one.document() for one in found], "losses": [_document(*one) for one in lost]}
        told["undecided"] = to_decide
        tell(told)
        return
    out = console()
    of_flow = f" of {name}" if name else ""
    of = of_flow + (f" of the last {counted(days, 'day')}" if days else "")
    print_items(out, f"conflicts{of}, not acknowledged", map(_told, found))
    print_items(
        out, f"records{of} that a restored system lost, not acknowledged", (_told_lost(*one) for one in lost)
    )
    if to_decide:
        line(out, f"{counted(to_decide, 'open conflict')}{of_flow} to decide: talk-pipeline attention")
    if not found and not lost:
        line(out, f"no conflict and no lost record{of} waits to be acknowledged")
        return
    only = (f" {name}" if name else "") + (f" --since {stamp(since)}" if since else "")
    numbers = acknowledging.in_numbers(conflicts=len(found), losses=len(lost))
    line(out, f"{numbers} in all; one record: talk-pipeline explain FLOW NUMBER")
    line(out, f"seen? talk-pipeline acknowledge{only} --until {stamp(read_at)}")


def _told(one: Conflict) -> tuple[str, tuple[str, ...]]:
    """Whose property it is, and below that both values and what became of them."""
    when = f"{one.recorded_at:%Y-%m-%d %H:%M:%S} UTC, {age(one.recorded_at)}, run {one.run_id[:8]}"
    return f"{_called(one.flow, one)}: {one.prop}", (
        f"{Side.SHOP}: {value(one.shop_value)}",
        f"{Side.BC}: {value(one.bc_value)}",
        f"{one.loser} lost, {by_rule(one.rule)}; {when}",
    )


def _told_lost(flow: str, one: Loss) -> tuple[str, tuple[str, ...]]:
    return _called(flow, one), (one.reason, f"{one.lost_at:%Y-%m-%d %H:%M:%S} UTC, {age(one.lost_at)}")


def _called(flow: str, one: Conflict | Loss) -> str:
    """A record for a person, each word once."""
    return " ".join(dict.fromkeys(filter(None, (flow, one.number or one.shop_id, one.name))))


def _document(flow: str, one: Loss) -> dict[str, Any]:
    ids = {"flow": flow, "shop_id": one.shop_id, "bc_id": one.bc_id, "number": one.number, "name": one.name}
    return {"at": stamp(one.lost_at), "age_seconds": seconds_since(one.lost_at), **ids, "reason": one.reason}


def acknowledge(
    name: str | None, text: str | None, *, since: str | None, until: str | None, as_json: bool
) -> None:
    """Acknowledges conflicts and lost records: of one record, of one flow, or of all flows up to a time.

    Raises:
        UsageError: it is not said which, or the time is none.
    """
    if name is None and until is None:
        raise UsageError(
            "which conflicts? name a flow, or a flow and a record, or --until a time for all flows"
        )
    within = {"since": _moment("since", since), "until": _moment("until", until)}
    settings = Settings.load()
    names = [name] if name else list(flows_of(settings))
    done = [
        carry_out(settings, one, lambda hand: acknowledging.acknowledge(hand, text, **within), by=who())
        for one in names
    ]
    if as_json:
        tell({"acknowledged": [one.document() for one in done]})
    else:
        say("\n".join(one.message for one in done))


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return naive(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:  # such as the first of all days in a zone east of UTC
        raise UsageError(
            f"--{option} {text}: no time; write it as 2026-01-31T12:00:00Z, in UTC where no zone is given"
        ) from error
