"""The circuit breaker: how much a plan would do, and whether that is plausible.

Creating what is missing is the pipeline's purpose and does not count by default; rewriting or deleting a large
share of what is in step does, and so do records that disappeared in numbers. Pairs that meet for the first time
are counted apart: nothing of them was ever in step, and a wrong mapping would overwrite them all. A flow may limit
each operation further (`settings.breaker`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.plan.merge import INITIAL
from talk_pipeline.engine.snapshot.watermarks import fetch_problems
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.tuning import Breaker, Limit
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted


@dataclass(frozen=True, slots=True)
class Volume:
    """How much a plan would do to a flow.

    Attributes:
        touched: linked pairs with a change to write, first meetings, creates and the rest of these not counted.
        links: active links, first meetings not counted.
        meeting: pairs that meet for the first time and have a change to write.
        meetings: all pairs that meet for the first time.
        creates: records that would be created.
        updates: records with anything to write, first meetings counted, what changes in their children too.
        deletes: records that would be deleted, and lines that would go without another coming in their place.
        lost: records that would be deleted, or left without any of their lines.
        reason: why that is too much, None when it is safe.
    """

    touched: int
    links: int
    meeting: int
    meetings: int
    creates: int
    updates: int
    deletes: int
    lost: int
    reason: str | None

    @property
    def safe(self) -> bool:
        """Whether the plan may be carried out without a person's approval."""
        return self.reason is None


# active links: of pairs that have met, and of those that meet for the first time
_LINKS = """
select count(*) filter (met_at is not null or rule = 'created'),
       count(*) filter (met_at is null and rule <> 'created')
from link where part = $flow and state = 'active'
"""

# by record; what is deferred goes later in the same run
_VOLUME = f"""
select count(distinct root) filter (linked and met),
       count(distinct root) filter (linked and meets),
       count(distinct root) filter (own and operation = 'create'),
       count(distinct root) filter (linked and not (own and operation = 'delete')),
       count(distinct root) filter (own and operation = 'delete'),
       coalesce(bool_or(not own and operation = 'delete'), false)
from (
  select coalesce(c.root_shop_id, c.root_bc_id) as root, c.operation, c.part = c.flow as own,
         c.root_shop_id is not null and c.root_bc_id is not null as linked,
         -- a property new in the mapping meets pairs that are old; what is still to be told of a record
         -- that we made, such as the number it got, is the rest of its create
         l.shop_id is null or l.met_at is not null or (l.rule = 'created' and c.rule <> '{INITIAL}') as met,
         l.met_at is null and l.rule <> 'created' as meets
  from change c left join link l on l.part = $flow and l.shop_id = c.root_shop_id and l.state = 'active'
  where c.flow = $flow and (c.hold_kind is null or c.hold_kind = '{HoldKind.DEFERRED}')
)
"""

# lines that go, by record; one that is made anew takes the place of another
_LINES = f"""
with removed as (
  select root_shop_id, part, target, count(distinct shop_id) filter (operation = 'delete') as gone,
         count(distinct coalesce(shop_id, bc_id)) filter (operation = 'create') as made
  from change
  where flow = $flow and part <> $flow and operation in ('create', 'delete') and root_shop_id is not null
    and root_bc_id is not null and (hold_kind is null or hold_kind = '{HoldKind.DEFERRED}')
  group by all
),
held as (select part, root_shop_id, count(*) as lines from link group by all)
select coalesce(sum(greatest(r.gone - r.made, 0)), 0),
       count(distinct root_shop_id) filter (r.gone > 0 and r.made = 0 and r.gone >= h.lines)
from removed r join held h using (part, root_shop_id)
"""


def volume(db: Connection, flow: Flow) -> Volume:
    """The volume of the plan in the table of changes."""
    [(links, meetings)] = db.execute(_LINKS, {"flow": flow.name}).fetchall()
    [planned] = db.execute(_VOLUME, {"flow": flow.name}).fetchall()
    touched, meeting, creates, updates, deleted, some_go = planned
    found = db.execute(_LINES, {"flow": flow.name}).fetchone() if some_go else None
    lines, emptied = found or (0, 0)
    deletes, lost, pairs = deleted + int(lines), deleted + emptied, links + meetings
    breaker = flow.settings.breaker
    reasons = [f"{side}: {problem}" for side, problem in fetch_problems(db, flow.name)]
    if touched >= breaker.minimum and touched > breaker.share * links:
        reasons.append(
            f"{touched} of {counted(links, 'linked pair')} would change, more than the {breaker.share:.0%}"
            " allowed (breaker.share)"
        )
    meet = "meets" if meetings == 1 else "meet"
    for allowed in beyond(breaker.first_meetings, meeting, of=meetings, minimum=breaker.minimum):
        reasons.append(
            f"{meeting} of {counted(meetings, 'pair')} that {meet} for the first time would change, more than"
            f" the {allowed} allowed (breaker.first_meetings): look whether the right records were paired, and"
            f" whether the mapping and `initial: {flow.settings.initial}` mean what you want"
        )
    linked = counted(pairs, "linked pair")
    for operation, number in (("creates", creates), ("updates", updates)):
        limit: Limit = getattr(breaker, operation)
        did = f"{counted(number, 'record')} would be {operation.removesuffix('s')}d, with {linked}"
        for allowed in beyond(limit, number, of=pairs, minimum=breaker.minimum):
            reasons.append(f"{did}, more than the {allowed} allowed (breaker.{operation})")
    reasons += _losses(breaker, deleted=deleted, lines=int(lines), emptied=emptied, links=pairs)
    why = "; ".join(reasons) or None
    return Volume(touched, links, meeting, meetings, creates, updates, deletes, lost, why)


def _losses(breaker: Breaker, *, deleted: int, lines: int, emptied: int, links: int) -> Iterator[str]:
    """What of the deletions is too much: in number by records and lines, in share by the records that lose all."""
    limit = breaker.deletes
    linked = counted(links, "linked pair")
    what = " and ".join(
        counted(number, one) for number, one in ((deleted, "record"), (lines, "line")) if number
    )
    for allowed in beyond(Limit(count=limit.count), deleted + lines, of=links, minimum=breaker.minimum):
        did = f"{what} would be deleted, with {linked}"
        yield f"{did}, more than the {allowed} allowed (breaker.deletes)"
    lost, minimum = deleted + emptied, limit.minimum or breaker.minimum
    for allowed in beyond(Limit(share=limit.share), lost, of=links, minimum=minimum):
        how = "deleted or left without lines" if emptied else "deleted"
        yield f"{lost} of {linked} would be {how}, more than the {allowed} allowed (breaker.deletes)"


def beyond(limit: Limit, number: int, *, of: int, minimum: int) -> Iterator[str]:
    """Which of a limit's numbers are exceeded; a share of few records says nothing."""
    if limit.count is not None and number > limit.count:
        yield str(limit.count)
    if limit.share is not None and number >= minimum and number > limit.share * of:
        yield f"{limit.share:.0%}"
