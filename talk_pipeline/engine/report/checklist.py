"""The QA checklist: each check is a query with its failing rows and a verdict.

Dagster, the terminal and the documents show these same findings. ERROR is for what must never be; WARN lists
what a person should know.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.match.claims import TWINS, newcomers
from talk_pipeline.engine.plan.circuit_breaker import volume
from talk_pipeline.engine.plan.losses import losses
from talk_pipeline.engine.plan.unanswered import LISTED
from talk_pipeline.engine.report import conflicts
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.findings import Check, CheckContext, Finding, Severity, in_words
from talk_pipeline.engine.report.flagged import flagged
from talk_pipeline.engine.report.not_created import NOT_CREATED
from talk_pipeline.engine.report.preview import largest
from talk_pipeline.engine.report.property_checks import property_checks
from talk_pipeline.engine.report.run_summary import check_results
from talk_pipeline.engine.report.totals import totals_checks
from talk_pipeline.engine.snapshot import reversals
from talk_pipeline.engine.snapshot.watermarks import watermark
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import rows_of
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

FRESH = timedelta(days=1)
NOT_RESTORED = "not_restored"


def checks(flow: Flow) -> list[Check]:
    """The flow's checklist, in the order in which it is shown."""
    return [*_snapshot_checks(), VOLUME, *_RECORD_CHECKS, *totals_checks(flow), *property_checks(flow)]


def failing(db: Connection, flow: Flow) -> Iterator[tuple[str, datetime]]:
    """What is held and must not be, by the last verdicts, each with when it was given.

    Of the other checks that fail each record tells by itself what became of it, or the run that they stopped.
    """
    results = check_results(db, flow.name)
    for check in checks(flow):
        found = results.get(check.key) if check.lasts else None
        if found and found.finding.verdict == "failed":
            yield f"{check.title}: {found.finding.summary}", found.checked_at


def _snapshot_checks() -> Iterator[Check]:
    for side in Side:
        yield Check(
            "complete_and_fresh",
            f"The snapshot of {side} is complete and fresh",
            side.value,
            partial(_complete_and_fresh, side=side),
            blocking=True,
        )
        yield Check(
            NOT_RESTORED,
            f"{side} was not restored from a backup",
            side.value,
            partial(_not_restored, side=side),
            blocking=True,
        )


def _not_restored(context: CheckContext, *, side: Side) -> Finding:
    """Of every flow of the system: its records were restored together."""
    text = reversals.summary(context.db, side)
    if text is None or (context.decided and not reversals.noted(context.db, side, context.flow.name)):
        return Finding(True, "ERROR", "no record is older than it was seen")
    total, rows = _rows(context.db, reversals.EXAMPLES, {"side": str(side)})
    return Finding(False, "ERROR", text, total, rows)


def _complete_and_fresh(context: CheckContext, *, side: Side) -> Finding:
    mark = watermark(context.db, context.flow.name, side)
    if mark.fetched_at is None:
        return Finding(False, "ERROR", "never fetched")
    if not mark.complete:
        return Finding(False, "ERROR", f"the last fetch broke off: {mark.problem}")
    if now() - mark.fetched_at > FRESH:
        return Finding(False, "ERROR", f"last fetched {mark.fetched_at:%Y-%m-%d %H:%M} UTC")
    return Finding(True, "ERROR", f"fetched {mark.fetched_at:%Y-%m-%d %H:%M:%S} UTC")


def _volume_safe(context: CheckContext) -> Finding:
    found = volume(context.db, context.flow)
    if found.reason is None:
        plain = f"{found.touched} of {counted(found.links, 'linked pair')} would change"
        meet = "meets" if found.meetings == 1 else "meet"
        first = f", and {found.meeting} of {found.meetings} that {meet} for the first time"
        return Finding(True, "ERROR", plain + (first if found.meetings else ""))
    if context.approved:
        return Finding(True, "ERROR", f"approved: {found.reason}")
    note = "dry run: " if context.dry_run else ""
    total, rows = largest(context.db, context.flow)
    return Finding(False, "ERROR", f"{note}{found.reason}", total, rows)


VOLUME = Check(
    "change_volume_safe", "The volume of changes is plausible", "diffs", _volume_safe, blocking=True
)


def _listing(query: str, *, severity: Severity, what: str, of: str = "") -> Callable[[CheckContext], Finding]:
    """A check that passes when its query finds nothing of what it looks for."""

    def run(context: CheckContext) -> Finding:
        parameters = {"flow": context.flow.name, "run_id": context.run_id, "key": context.flow.create_key}
        used = {key: value for key, value in parameters.items() if f"${key}" in query}
        total, rows = _rows(context.db, query, used)
        return Finding(not total, severity, in_words(total, what, of), total, rows)

    return run


def _rows(
    db: Connection, query: str, parameters: Mapping[str, Any]
) -> tuple[int, tuple[dict[str, Any], ...]]:
    counted = f"select *, count(*) over () as total from ({query}) limit {LISTED_ROWS}"
    rows = rows_of(db, counted, dict(parameters))
    total = int(rows[0]["total"]) if rows else 0
    return total, tuple({key: value for key, value in row.items() if key != "total"} for row in rows)


_UNACCOUNTED = """
select s.id as shop_id from snapshot s
left join link l on l.part = s.flow and l.shop_id = s.id and l.state = 'active'
left join status st on st.flow = s.flow and st.shop_id = s.id
where s.flow = $flow and s.side = 'customwebshop' and l.part is null and st.flow is null
order by s.id
"""

_NOT_ONE_TO_ONE = """
select part, 'shop' as side, shop_id as id, count(*) as links from link
where part = $flow or starts_with(part, $flow || '.') group by all having count(*) > 1
union all
select part, 'businesscentral', bc_id, count(*) from link
where bc_id is not null and (part = $flow or starts_with(part, $flow || '.')) group by all having count(*) > 1
"""

_STATE = "select shop_id, reason, since from status where flow = $flow and state = '{}' order by shop_id"

_NOT_CREATED = f"select bc_id, reason, since from ({NOT_CREATED}) order by bc_id"

_PROBLEMS = """
select r.root_id as shop_id, r.id as record, e.key as property, e.value as reason
from (select *, unnest(map_entries(problems)) as e from record
      where side = 'customwebshop' and cardinality(problems) > 0
        and (part = $flow or starts_with(part, $flow || '.'))) r
where r.root_id not in (select shop_id from status
                        where flow = $flow and state in ('excluded', 'closed', 'held', 'attached'))
order by 1, 2, 3
"""

_FAILED = """
select coalesce(root_shop_id, bc_id) as record, part, target, operation, outcome, reason from journal
where flow = $flow and run_id = $run_id
  and (outcome = 'failed' or is_open(outcome) and open_until is null)
  and intent_id not in (select unnest(superseded) from (
    select list(j.intent_id) as superseded from journal j join journal later
      on later.flow = j.flow and later.run_id = j.run_id and later.outcome = 'done'
      and later.part = j.part and later.target = j.target
      and later.root_shop_id is not distinct from j.root_shop_id
      and later.shop_id is not distinct from j.shop_id and later.intent_at > j.intent_at))
order by 1
"""

_LEFT = """
select shop_id, bc_id, target, operation, property, before, after from change
where flow = $flow and hold_kind is null order by all
"""

_WITHHELD = f"""
select shop_id, bc_id, target, operation, property, before, after,
       withheld(hold_kind, hold_reason) as reason
from change where flow = $flow and hold_kind in ('{HoldKind.GUARDED}', '{HoldKind.DEFERRED}') order by all
"""


_PLANNED = "select shop_id from change where flow = $flow and part = $flow and operation = 'create'"


def _unaccounted(context: CheckContext) -> Finding:
    """In a dry run a planned create accounts for its record."""
    query = (
        f"select * from ({_UNACCOUNTED}) where shop_id not in ({_PLANNED})"
        if context.dry_run
        else _UNACCOUNTED
    )
    return _listing(query, severity="ERROR", what="record", of=" without a link or a reason")(context)


def _nothing_left(context: CheckContext) -> Finding:
    total, rows = _rows(context.db, _LEFT, {"flow": context.flow.name})
    if context.dry_run:
        return Finding(
            True, "ERROR", f"dry run: {in_words(total, 'change')} planned, none written", total, rows
        )
    left = f"{in_words(total, 'change')} {'was' if total == 1 else 'were'} left undone"
    summary = left if total else "a second diff is empty"
    return Finding(not total, "ERROR", summary, total, rows)


def _ambiguous(context: CheckContext) -> Finding:
    """Shop records by their state; of Business Central those that would have come to the shop."""
    total, rows = _rows(context.db, _STATE.format("ambiguous"), {"flow": context.flow.name})
    new = [{"bc_id": one.id, "reason": one.reason} for one in newcomers(context.db, context.flow)]
    total += len(new)
    return Finding(not total, "WARN", in_words(total, "ambiguous record"), total, _alike(rows, new))


def _quarantined(context: CheckContext) -> Finding:
    """Shop records by their state; of Business Central those that the shop cannot have."""
    of = {"flow": context.flow.name}
    total, rows = _rows(context.db, _STATE.format("quarantined"), of)
    further, new = _rows(context.db, _NOT_CREATED, of)
    total += further
    return Finding(not total, "WARN", in_words(total, "quarantined record"), total, _alike(rows, new))


def _alike(
    rows: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """Records of the shop by their state, and beside them those of Business Central, if there are any."""
    if not new:
        return tuple(rows)
    columns = ("shop_id", "bc_id", "reason", "since")
    return tuple({name: row.get(name) for name in columns} for row in (*rows, *new)[:LISTED_ROWS])


def _shop_capable(context: CheckContext) -> Finding:
    """What the shop at hand leaves of the mapping; known and stable, so no reason to warn every time."""
    lacks = context.flow.shop_lacks
    rows = tuple({"property": name, "reason": why} for name, why in lacks.items())
    limited = f"the shop limits {in_words(len(lacks), 'property')}"
    summary = limited if lacks else "the shop can do all of it"
    return Finding(True, "WARN", summary, len(lacks), rows)


def _flagged(context: CheckContext) -> Finding:
    rows = flagged(context.db, context.flow)
    summary = in_words(len(rows), "record", " for a person to decide on")
    return Finding(not rows, "WARN", summary, len(rows), tuple(rows[:LISTED_ROWS]))


def _lost(context: CheckContext) -> Finding:
    found = losses(context.db, context.flow)
    rows = tuple(
        {
            "number": one.number,
            "name": one.name,
            "shop_id": one.shop_id,
            "bc_id": one.bc_id,
            "reason": one.reason,
            "lost_at": one.lost_at,
            "held": "; ".join(f"{name} {value}" for name, value in one.held.items()),
        }
        for one in found[:LISTED_ROWS]
    )
    summary = in_words(len(found), "record", " lost when a system was restored, that nobody has acknowledged")
    return Finding(not found, "WARN", summary, len(found), rows)


def _state_check(state: str, name: str, title: str) -> Check:
    return Check(name, title, "sync", _listing(_STATE.format(state), severity="WARN", what=f"{state} record"))


def _check(
    name: str, title: str, query: str, *, severity: Severity, what: str, of: str = "", lasts: bool = False
) -> Check:
    return Check(name, title, "sync", _listing(query, severity=severity, what=what, of=of), lasts=lasts)


_RECORD_CHECKS = (
    Check(
        "every_record_accounted_for",
        "Every shop record is linked, or listed with its reason",
        "sync",
        _unaccounted,
    ),
    _check(
        "links_one_to_one",
        "Links are one to one",
        _NOT_ONE_TO_ONE,
        severity="ERROR",
        what="record",
        of=" with several links",
        lasts=True,
    ),
    _check(
        "create_keys_unique",
        "No two records carry one create key",
        TWINS,
        severity="ERROR",
        what="create key",
        of=" carried by several records",
        lasts=True,
    ),
    _check("no_failed_writes", "Every write succeeded", _FAILED, severity="ERROR", what="failed write"),
    _check(
        "writes_answered",
        "Every write was answered",
        LISTED,
        severity="WARN",
        what="write",
        of=" without an answer",
    ),
    Check("nothing_left_to_do", "Nothing is left to do", "sync", _nothing_left),
    Check(
        "no_ambiguous_matches", "No record has more than one candidate, or a linked one", "sync", _ambiguous
    ),
    Check("no_quarantined_records", "No record is quarantined", "sync", _quarantined),
    _check(
        "values_fit",
        "Values fit the other side",
        _PROBLEMS,
        severity="WARN",
        what="value",
        of=" beyond what fits",
    ),
    _state_check("waiting", "references_resolve", "No record waits for another, or for an answer"),
    _check("conflicts_listed", "No edit was overwritten", conflicts.OF_RUN, severity="WARN", what="conflict"),
    conflicts.ACKNOWLEDGED,
    _check("nothing_withheld", "No change is withheld", _WITHHELD, severity="WARN", what="withheld change"),
    _state_check("broken", "no_broken_links", "No link has lost a side"),
    Check(
        "losses_acknowledged", "Every record that a restored system lost is known to somebody", "sync", _lost
    ),
    _state_check("held", "no_held_records", "No record is held by hand"),
    Check("no_flagged_records", "No record needs a person's decision", "sync", _flagged, lasts=True),
    Check("shop_capable", "What the shop cannot do is known", "sync", _shop_capable),
)
