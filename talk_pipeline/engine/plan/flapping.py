"""Values that go back and forth: two systems, or what hangs on them, that each put their own word back every time.

Whether an edit is a person's cannot be seen; that the same two words cross each other again and again within a day
is no person's doing. Properties that know two words only are left out, since there every second edit is a return.
What a system stores differently at once is counted in `apply.bases`.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.model import SEND_WITH
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

TURNS = 6  # writes in turn before the next one is withheld
WITHIN = timedelta(days=1)

# changes of records that were written often of late, or since a person said to try again
_SUSPECTS = """
select distinct c.part, c.shop_id, c.root_shop_id, c.property, c.target, c.before, c.after
from change c
where c.flow = $flow and c.operation = 'update' and c.hold_kind is null and c.root_shop_id in (
  select root_shop_id from journal where flow = $flow and outcome = 'done' and intent_at > $since
  group by 1 having count(*) >= $turns)
"""

# to whom each was told what of late, latest first; by the value it was sent from. All are asked for at once, since
# all that was written is looked through for it
_WRITES = f"""
with retried as (
  select shop_id, max(done_at) as done_at from decision where flow = $flow and action = 'retried' group by shop_id
)
select w.part, w.shop_id, w.property, w.target, w.source
from written w
left join retried r on r.shop_id = w.root_shop_id
where w.flow = $flow and w.outcome = 'done' and w.operation = 'update' and w.rule <> '{SEND_WITH}'
  and w.intent_at > greatest($since, r.done_at) and (w.part, w.shop_id, w.root_shop_id, w.property) in (
    select (unnest($parts::varchar[]), unnest($shop_ids::varchar[]), unnest($roots::varchar[]),
            unnest($properties::varchar[])))
qualify row_number() over (partition by w.part, w.shop_id, w.property order by w.intent_at desc) <= $turns
order by w.intent_at desc
"""

_WITHHOLD = f"""
update change set hold_kind = '{HoldKind.FLAPPING}', hold_reason = $reason
where flow = $flow and part = $part and shop_id = $shop_id and property = $property and hold_kind is null
"""


def withhold_flapping(db: Connection, flow: Flow) -> None:
    """Withholds what would only send back a word that came back every time."""
    window = {"flow": flow.name, "since": now() - WITHIN, "turns": TURNS}
    found = db.execute(_SUSPECTS, window).fetchall()
    suspects = [one for one in found if flow.part(one[0]).by_name[one[3]].type != "bool"]
    writes = _last_writes(db, window, [one[:4] for one in suspects])
    for part, shop_id, _, name, target, before, after in suspects:
        if _flaps([(target, after), *writes.get((part, shop_id, name), ())]):
            words = (
                f"{before!r} and {after!r}, {counted(TURNS, 'time')} of late; make both sides say the same"
            )
            db.execute(
                _WITHHOLD,
                {
                    "reason": f"it goes back and forth between {words}",
                    "flow": flow.name,
                    "part": part,
                    "shop_id": shop_id,
                    "property": name,
                },
            )


def _last_writes(
    db: Connection, window: Mapping[str, object], suspects: Sequence[tuple[str, ...]]
) -> Mapping[tuple[str, str, str], Sequence[tuple[str, str | None]]]:
    """What the suspects (part, shop id, shop id of the root, property) were told, by part, shop id and property."""
    if not suspects:
        return {}
    columns = (list(column) for column in zip(*suspects, strict=True))
    asked = dict(zip(("parts", "shop_ids", "roots", "properties"), columns, strict=True))
    found: dict[tuple[str, str, str], list[tuple[str, str | None]]] = {}
    for part, shop_id, name, told, source in db.execute(_WRITES, {**window, **asked}).fetchall():
        found.setdefault((part, shop_id, name), []).append((told, source))
    return found


def _flaps(writes: Sequence[tuple[str, str | None]]) -> bool:
    """Whether the sides take turns, each with one and the same word."""
    turns = all(one != other for (one, _), (other, _) in pairwise(writes))
    return len(writes) > TURNS and turns and len(set(writes)) == 2
