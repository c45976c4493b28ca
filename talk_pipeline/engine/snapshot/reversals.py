"""Records that went back: what tells a system that was restored from a backup from one that was edited.

An edit moves a record's version and modified time on. Where a record is shown as it was before, or as of an earlier
time than it was seen at, where another one is shown under its id, where all that was newest is gone, or where one
that was posted is so no more, the system was restored. Then nothing of the fetch lands: what was seen is noted
here, and stops every flow of that system until a person decides (`manual.restoring`). While it is noted, each run
reads the system in full and judges anew; and so does the first that reads a flow afterwards (`suspicion`).

Not told apart: a shop that tells neither times nor versions, whose records are back at what they said before, from
people who took their edits back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert, is_any
from talk_pipeline.engine.state.tables import ReversalRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

Kind = Literal["went back", "vanished", "open again", "unposted", "another"]
SEVERAL = 3  # records, before what one alone might do by chance counts
REMEMBERED = 24  # signs of earlier states that a record keeps


@dataclass(frozen=True, slots=True)
class Reversal:
    """A record that is shown older than it was known, or in whose place another one is shown.

    Attributes:
        known_at: its modified time as known, by the system.
        shown_at: its modified time as shown now.
        certain: no chance by itself: it is shown in the very state in which it was seen before, another one is, or
            it was posted, which nobody takes back; what merely carried its key somebody may have deleted.
    """

    id: str
    kind: Kind
    known_at: datetime | None
    shown_at: datetime | None
    certain: bool = False


def signs(version: str | None, modified_at: datetime | None, row_hash: str | None) -> list[str]:
    """What a state of a record is recognised by, should it come again; a list may show no versions."""
    found = [version] if version else []
    return [*found, f"{modified_at.isoformat()} {row_hash}"] if modified_at and row_hash else found


def went_back(
    row: Mapping[str, Any], *, row_hash: str, skew_seconds: float, suspected: bool = False
) -> Reversal | None:
    """Whether a record that is held is shown as it was before.

    Args:
        row: the record as shown, with what is held of it.
        row_hash: of what is shown.
        skew_seconds: how far the server's clock is ahead of ours. A record cannot have been modified after it was
            fetched: a later time was stamped by a clock that has been put right since.
        suspected: other records of the system went back. One that is in a state of before at an unmoved time, as in
            a shop whose times stand still, went back with them; else somebody took an edit back.
    """
    if row["held_gone"] == "posted":
        return Reversal(row["id"], "open again", row["held_modified_at"], row["modified_at"])
    shown_at, known_at = row["modified_at"], row["held_modified_at"]
    earlier = set(row["earlier"] or ())
    # what is held may have been held before too: asked for by itself, a record may say more than in a list
    again = not _is_held(row, row_hash) and not earlier.isdisjoint(signs(row["version"], shown_at, row_hash))
    if shown_at is None or known_at is None:
        known_version = row["version"] in earlier and row["version"] != row["held_version"]
        return Reversal(row["id"], "went back", known_at, shown_at) if known_version else None
    if again and (shown_at < known_at or (suspected and shown_at == known_at)):
        return Reversal(row["id"], "went back", known_at, shown_at, certain=True)
    latest = min(known_at, row["held_fetched_at"] + timedelta(seconds=skew_seconds))
    return Reversal(row["id"], "went back", latest, shown_at) if shown_at < latest else None


def another(row: Mapping[str, Any], *, known: datetime | None, shown: datetime | None) -> Reversal | None:
    """Whether another record is shown under an id than the one that is held: it was made at another time.

    A shop that was restored counts on from where its backup was, and gives ids out anew, and numbers with them.

    Args:
        row: the record as shown, with what is held of it.
        known: when the one that is held was made.
        shown: when the one that is shown was.
    """
    if known is None or shown is None or _same_moment(known, shown):
        return None
    return Reversal(row["id"], "another", row["held_modified_at"], None, certain=True)


# closed by their key before they were ever held; that they were posted is certain where that is their own id, and
# not that of what carries their key, which may be a draft that a clerk deletes
_UNREAD = """
select bc_id, coalesce(list_count(map_values(called)), 0) > 0 from link
where part = $flow and state = 'closed' and $side = 'businesscentral' and bc_id in (select unnest($ids::varchar[]))
order by bc_id
"""


def unposted(db: Connection, flow: str, side: Side, ids: Sequence[str]) -> list[Reversal]:
    """Those by which stories ended, of some that are gone and were never held."""
    found = db.execute(_UNREAD, {"flow": flow, "side": str(side), "ids": list(ids)}).fetchall()
    return [Reversal(record_id, "unposted", None, None, certain=certain) for record_id, certain in found]


def _same_moment(one: datetime, other: datetime) -> bool:
    """As far as both tell: a list may tell less of a time than the record by itself."""
    told = timedelta(seconds=1) if 0 in (one.microsecond, other.microsecond) else timedelta(milliseconds=1)
    return abs(one - other) < told


def _is_held(row: Mapping[str, Any], row_hash: str) -> bool:
    """Whether a record is shown in the state in which it is held: by its version, else by its time and values."""
    if row["version"]:
        return bool(row["version"] == row["held_version"])
    return (row["modified_at"], row_hash) == (row["held_modified_at"], row["row_hash"])


def implausible(
    flow: Flow,
    found: Sequence[Reversal],
    *,
    newest_read: datetime | None,
    changed: int,
    suspected: bool = False,
) -> tuple[Reversal, ...]:
    """The reversals, where they are more than chance: else none.

    One record may be committed late and show a slightly earlier time, and one that is gone was deleted. A record
    in the very state it was seen in before, or hours back, can not be explained so, nor can several at once.

    Args:
        flow: whose overlap says how late a commit may come.
        found: of one side.
        newest_read: the latest modified time in a full scan; None where not everything was read.
        changed: how many records came changed.
        suspected: records of the system, of whichever flow, went back, and this one was not looked at since: then
            a single one is no chance either.
    """
    timed = [one for one in found if one.kind == "went back" and one.known_at and one.shown_at]
    late = timedelta(minutes=flow.settings.overlap_minutes)
    far = [one for one in timed if one.known_at and one.shown_at and one.known_at - one.shown_at > late]
    untimed = [one for one in found if one.kind == "went back" and one not in timed]
    # all that was newest is gone
    newest = [
        one
        for one in found
        if one.kind == "vanished" and newest_read and one.known_at and one.known_at > newest_read
    ]
    sure = (
        suspected
        or any(one.certain for one in found)
        or far
        or len(timed) >= SEVERAL
        or (len(untimed) >= SEVERAL and 2 * len(untimed) >= changed)
        or len([one for one in found if one.kind in ("open again", "unposted")]) >= SEVERAL
        or len(newest) >= SEVERAL
    )
    return tuple(found) if sure else ()


def note(db: Connection, flow: str, side: Side, found: Sequence[Reversal]) -> None:
    """Keeps what was seen of a side of a flow, in place of what was; inside the caller's transaction."""
    db.execute("delete from reversal where flow = ? and side = ?", [flow, side])
    rows = [
        ReversalRow(
            flow=flow,
            side=side,
            id=one.id,
            kind=one.kind,
            known_at=one.known_at,
            shown_at=one.shown_at,
            seen_at=now(),
        )
        for one in found
    ]
    insert(db, rows)


def backed_up_at(db: Connection, side: Side, found: Sequence[Reversal]) -> datetime | None:
    """The latest time at which a backup was not made yet, so that what is known of later may be lost with it.

    Args:
        db: the state, in which reversals of other flows may be noted.
        side: the system that was restored.
        found: reversals of the flow at hand.
    """
    noted_at = db.execute("select shown_at from reversal where side = ?", [side]).fetchall()
    shown_at = [*(one.shown_at for one in found), *(at for (at,) in noted_at)]
    return max(filter(None, shown_at), default=None)


def noted(db: Connection, side: Side, flow: str | None = None) -> bool:
    """Whether a system is suspected, of one flow or of any."""
    of_flow, named = (" and flow = $flow", {"flow": flow}) if flow else ("", {})
    return is_any(db, f"from reversal where side = $side{of_flow}", {"side": str(side), **named})


_SEEN = "select kind, count(*) from reversal where side = ? group by kind"
_SPAN = "select max(known_at), max(shown_at) from reversal where side = ?"

# what is said of one record, and of several
_WORDS: Mapping[Kind, tuple[str, str]] = {
    "went back": ("went back", "went back"),
    "vanished": ("vanished", "vanished"),
    "open again": ("posted before is open again", "posted before are open again"),
    "unposted": ("posted before is neither open nor posted", "posted before are neither open nor posted"),
    "another": ("is another one under its id", "are others under their ids"),
}

EXAMPLES = """
select flow, id, kind as what, known_at as modified_as_known, shown_at as modified_as_shown from reversal
where side = $side order by what desc, known_at desc, flow, id
"""


def summary(db: Connection, side: Side) -> str | None:
    """What was seen of a suspected system, and how to go on; None for one that is not."""
    counts = dict(db.execute(_SEEN, [side]).fetchall())
    if not counts:
        return None
    known_at, shown_at = db.execute(_SPAN, [side]).fetchone() or (None, None)
    told = ((counts[kind], one, several) for kind, (one, several) in _WORDS.items() if kind in counts)
    seen = ", ".join(
        f"{counted(count, 'record')} {one if count == 1 else several}" for count, one, several in told
    )
    span = f", from {known_at:%Y-%m-%d %H:%M:%S} to {shown_at:%Y-%m-%d %H:%M:%S} UTC" if shown_at else ""
    return (
        f"{side} looks restored from a backup: {seen}{span}. Nothing is written until a person decides: "
        f"talk-pipeline sync --restored {side} brings what is newer on the other side back to it; "
        "talk-pipeline sync --approve takes what it shows now for edits"
    )
