"""Values that go back and forth: two systems, or what hangs on them, that each put their own word back every time.

Whether an edit is a person's cannot be seen; that the same two words cross each other again and again within a day
is no person's doing. Properties that know two words only are left out, since there every second edit is a return.
What a system stores differently at once is counted in `apply.bases`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.state.database import Connection, now
from talk_pipeline.flows.vocabulary import Flow

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

_WRITES = """
select j.target, j.details from journal j
where j.flow = $flow and j.root_shop_id = $root and j.outcome = 'done' and j.intent_at > greatest($since, coalesce(
  (select max(done_at) from deed d where d.flow = $flow and d.shop_id = $root and d.action = 'retried'), $since))
order by j.intent_at desc
"""

_WITHHOLD = f"""
update change set hold_kind = '{HoldKind.FLAPPING}', hold_reason = $reason
where flow = $flow and part = $part and shop_id = $shop_id and property = $property and hold_kind is null
"""


def withhold_flapping(db: Connection, flow: Flow) -> None:
    """Withholds what would only send back a word that came back every time."""
    asked = {"flow": flow.name, "since": now() - WITHIN}
    suspects = db.execute(_SUSPECTS, asked | {"turns": TURNS}).fetchall()
    for part, shop_id, root, name, target, before, after in suspects:
        prop = flow.part(part).by_name[name]
        if prop.type == "bool":
            continue
        rows = db.execute(_WRITES, asked | {"root": root}).fetchall()
        said = _said(rows, part=part, shop_id=shop_id, name=name)
        if _flaps([(target, after), *said[:TURNS]]):
            words = f"{before!r} and {after!r}, {TURNS} times of late; make both sides say the same"
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


def _said(
    rows: Sequence[tuple[str, str]], *, part: str, shop_id: str, name: str
) -> list[tuple[str, str | None]]:
    """To whom the property was told what, latest first; by the value it was sent from."""
    said: list[tuple[str, str | None]] = []
    for target, text in rows:
        details: Mapping[str, Any] = json.loads(text)
        for one in (details, *details["children"]):
            sent = one["sent"].get(name)
            same = one["part"] == part and one["shop_id"] == shop_id and one["operation"] == "update"
            if same and sent is not None and sent["rule"] != "companion":
                said.append((target, sent["source"]))
    return said


def _flaps(said: Sequence[tuple[str, str | None]]) -> bool:
    """Whether the sides take turns, each with one and the same word."""
    turns = all(one != other for (one, _), (other, _) in pairwise(said))
    return len(said) > TURNS and turns and len(set(said)) == 2
