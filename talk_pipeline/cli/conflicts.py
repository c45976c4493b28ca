"""`talk-pipeline conflicts` and `acknowledge`: which edits were overwritten, and that a person knows of them."""

import json
from datetime import UTC, datetime

from talk_pipeline.cli.byhand import who
from talk_pipeline.cli.exits import UsageError
from talk_pipeline.cli.tables import console, line, print_items, value
from talk_pipeline.cli.terminal import say
from talk_pipeline.declarations import flows_of
from talk_pipeline.engine.manual import acknowledging
from talk_pipeline.engine.manual.lookup import named_flow
from talk_pipeline.engine.report.ages import age
from talk_pipeline.engine.report.conflicts import Conflict, unacknowledged
from talk_pipeline.engine.report.history import by_rule, stamp
from talk_pipeline.engine.state.connection import naive, now
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline.wording import counted


def print_conflicts(name: str | None, *, days: int, as_json: bool) -> None:
    """The conflicts of the last days that nobody has acknowledged."""
    settings = Settings.load()
    flows = flows_of(settings)
    asked = [named_flow(flows, name)] if name else list(flows.values())
    read_at = now()
    with known_state(settings).once() as db:
        found = unacknowledged(db, asked, days=days)
    if as_json:
        told = {"days": days, "read_at": stamp(read_at), "conflicts": [one.document() for one in found]}
        say(json.dumps(told, indent=2))
        return
    out = console()
    of = f" of {name}" if name else ""
    print_items(out, f"conflicts{of} of the last {counted(days, 'day')}, not acknowledged", map(_told, found))
    if not found:
        line(out, f"no conflict{of} of the last {counted(days, 'day')} waits to be acknowledged")
        return
    only = f" {name}" if name else ""
    line(out, f"{len(found)} in all; one record: talk-pipeline explain FLOW NUMBER")
    line(out, f"seen? talk-pipeline acknowledge{only} --until {stamp(read_at)}")


def _told(one: Conflict) -> tuple[str, tuple[str, ...]]:
    """Whose property it is, and below that both values and what became of them."""
    record = " ".join(dict.fromkeys(filter(None, (one.flow, one.number or one.shop_id, one.name))))
    when = f"{one.recorded_at:%Y-%m-%d %H:%M:%S} UTC, {age(one.recorded_at)}, run {one.run_id[:8]}"
    return f"{record}: {one.prop}", (
        f"{Side.SHOP}: {value(one.shop_value)}",
        f"{Side.BC}: {value(one.bc_value)}",
        f"{one.loser} lost, {by_rule(one.rule)}; {when}",
    )


def acknowledge(name: str | None, text: str | None, *, until: str | None, as_json: bool) -> None:
    """Acknowledges conflicts: of one record, of one flow, or of all flows up to a time.

    Raises:
        UsageError: it is not said which, or the time is none.
    """
    if name is None and until is None:
        raise UsageError(
            "which conflicts? name a flow, or a flow and a record, or --until a time for all flows"
        )
    moment = _moment(until) if until else None
    settings = Settings.load()
    names = [name] if name else list(flows_of(settings))
    done = [
        carry_out(settings, one, lambda hand: acknowledging.acknowledge(hand, text, until=moment), by=who())
        for one in names
    ]
    if as_json:
        say(json.dumps({"acknowledged": [one.document() for one in done]}, indent=2))
    else:
        say("\n".join(one.message for one in done))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--until {text}: no time; write it as 2026-01-31T12:00:00Z, in UTC where no zone is given"
        ) from error
    return naive(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
