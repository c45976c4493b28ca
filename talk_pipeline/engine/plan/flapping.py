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

# to whom the property was told what, latest first; by the value it was sent from
_WRITES = f"""
select w.target, w.source from written w
where w.flow = $flow and w.root_shop_id = $root and w.outcome = 'done' and w.operation = 'update'
  and w.part = $part and w.shop_id = $shop_id and w.property = $property and w.rule <> '{SEND_WITH}'
  and w.intent_at > greatest($since, (
    select max(done_at) from decision d where d.flow = $flow and d.shop_id = $root and d.action = 'retried'))
order by w.intent_at desc
"""

_WITHHOLD = f"""
update change set hold_kind = '{HoldKind.FLAPPING}', hold_reason = $reason
where flow = $flow and part = $part and shop_id = $shop_id and property = $property and hold_kind is null
"""


def withhold_flapping(db: Connection, flow: Flow) -> None:
    """Withholds what would only send back a word that came back every time."""
    window = {"flow": flow.name, "since": now() - WITHIN}
    suspects = db.execute(_SUSPECTS, window | {"turns": TURNS}).fetchall()
    for part, shop_id, root, name, target, before, after in suspects:
        about = {"root": root, "part": part, "shop_id": shop_id, "property": name}
        has_more_words = flow.part(part).by_name[name].type != "bool"
        if has_more_words and _flaps([(target, after), *_last_writes(db, window | about)]):
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


def _last_writes(db: Connection, asked: Mapping[str, object]) -> Sequence[tuple[str, str | None]]:
    return db.execute(_WRITES, asked).fetchall()[:TURNS]


def _flaps(writes: Sequence[tuple[str, str | None]]) -> bool:
    """Whether the sides take turns, each with one and the same word."""
    turns = all(one != other for (one, _), (other, _) in pairwise(writes))
    return len(writes) > TURNS and turns and len(set(writes)) == 2
