"""What both sides of the touched pairs of a part hold, a row a property, as far as anything follows from it.

Where two records meet for the first time and say the same, that is what they agree on: it is put down here,
straight from what was read. Of a first sync it is nearly all there is, and a table of it would need gigabytes.
"""

from collections.abc import Mapping, Sequence

from talk_pipeline.engine.match.standing_in import any_led
from talk_pipeline.engine.match.workspace import HeldBelow, LinksBelow
from talk_pipeline.engine.plan.unsettled import OF_A_PIECE, any_agreed, find_unsettled
from talk_pipeline.engine.plan.workspace import Pairs, Touched
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.vocabulary import Part

SAME = "shop_problem is null and bc_problem is null and shop_canon is not distinct from bc_canon"
"""Both sides say the same, of a row of the pairs."""

AS_AGREED = """
has_base and resend is null and shop_raw is not distinct from shop_base and bc_raw is not distinct from bc_base
"""
"""Both hold what they held when they last agreed."""

PIECE = 100_000  # pairs; of more only those that are unsettled are compared, so many at once

# the pairs of a part: the touched ones themselves, or those below them
_TOUCHED_THEMSELVES = "select *, root_shop_id as shop_id, root_bc_id as bc_id from touched"
_BELOW_TOUCHED = """
  select t.*, l.shop_id, l.bc_id from touched t
  join link_below l on l.part = $part and l.root_shop_id = t.root_shop_id
"""

# one row a property of every touched pair; a reference compares as the shop id it means. What is held of a pair is
# picked by row: only then are the values of all the others left unread
_PAIR = """
with prop as (
  select unnest($properties::varchar[]) as property, unnest($refers_to::varchar[]) as refers_to,
         unnest($read_in::varchar[]) as read_in
),
linked as materialized ({linked}),
shop as (
  select id, raw, canon, problems from record
  where rowid in (select place from held_below where part = $part and side = 'customwebshop')
),
central as materialized (
  select id, raw, canon, problems from record
  where rowid in (select place from held_below where part = $part and side = 'businesscentral')
),
referred as materialized ({referred}),
agreed as (
  select * from base where rowid in (select rowid from base
    where part = $part and shop_id in (select shop_id from linked))
)
select l.root_shop_id, l.root_bc_id, l.shop_id, l.bc_id, p.property,
       s.raw[p.property] as shop_raw, b.raw[p.property] as bc_raw,
       s.raw[p.read_in] as shop_read_in, b.raw[p.read_in] as bc_read_in,
       {meant},
       s.problems[p.property] as shop_problem, b.problems[p.property] as bc_problem,
       x.part is not null as has_base, x.shop_value as shop_base, x.bc_value as bc_base, x.mismatches, x.resend,
       x.agreed_at,
       {edited},
       l.shop_version, l.bc_version, d.winner as taken, l.over, l.meeting
from linked l
join shop s on s.id = l.shop_id
join central b on b.id = l.bc_id
cross join prop p
{meaning}
left join agreed x on x.shop_id = l.shop_id and x.property = p.property
{edits}
-- a person decides on the values shown; whatever was edited since is a conflict of its own
left join resolution d on d.part = $part and d.shop_id = l.shop_id and d.property = p.property
  and d.shop_value is not distinct from s.raw[p.property] and d.bc_value is not distinct from b.raw[p.property]
"""

_WORDS = "s.canon[p.property] as shop_canon, b.canon[p.property] as bc_canon"
_MEANT = """
       {led} as shop_canon,
       meant(p.refers_to, b.canon[p.property], ref.shop_id, b.raw[p.property]) as bc_canon
"""
_REFERRED = """
  from link where state = 'active' and bc_id in (
    select b.raw[p.property] from central b join prop p on p.refers_to is not null)
"""
_MEANING = "left join referred ref on ref.part = p.refers_to and ref.bc_id = b.raw[p.property]"
_LED = "left join led on led.part = p.refers_to and led.shop_id = s.raw[p.property]"

_EDITED = """
       coalesce(ss.edited_at, l.shop_edited_at) as shop_edited_at,
       coalesce(sb.edited_at, l.bc_edited_at) as bc_edited_at,
       ss.part is not null as shop_sighted, sb.part is not null as bc_sighted
"""
_EDITS = """
left join edit ss on ss.part = $part and ss.shop_id = l.shop_id and ss.property = p.property
  and ss.side = 'customwebshop'
left join edit sb on sb.part = $part and sb.shop_id = l.shop_id and sb.property = p.property
  and sb.side = 'businesscentral'
"""
_UNEDITED = "l.shop_edited_at, l.bc_edited_at, false as shop_sighted, false as bc_sighted"


def _pair_query(db: Connection, part: Part, linked: str) -> str:
    """That of some pairs of a part; what there is nothing of is not named, since a query costs by what it names."""
    edited = is_any(db, "from edit where part = $part", {"part": part.name})
    led = bool(part.references) and any_led(db)
    meant = _MEANT.format(led="coalesce(led.leader, s.canon[p.property])" if led else "s.canon[p.property]")
    return _PAIR.format(
        linked=linked,
        meant=meant if part.references else _WORDS,
        referred=_REFERRED if part.references else "select null",
        meaning=(_MEANING if part.references else "") + (f"\n{_LED}" if led else ""),
        edited=_EDITED if edited else _UNEDITED,
        edits=_EDITS if edited else "",
    )


_FIRST_WORD = f"meeting and not has_base and not shop_sighted and not bc_sighted and {SAME}"

# what is as it was agreed needs no other word, unless it was not quite agreed, or an edit was taken back
_AT_REST = f"""
{AS_AGREED} and shop_problem is null and bc_problem is null and not shop_sighted and not bc_sighted
and (shop_canon is distinct from bc_canon or agreed_at is not null and mismatches = 0)
"""

_FOUND = f"""
select *, row_number() over () + $before as nth
from (from ({{pair}}) where not ({_FIRST_WORD}) and not ({_AT_REST}) order by shop_id)
"""

_AGREED_AT_ONCE = f"""
insert into base (part, shop_id, property, shop_value, bc_value, mismatches, resend, agreed_at)
select $part, shop_id, property, shop_raw, bc_raw, 0, null, $at from ({{pair}}) where {_FIRST_WORD}
"""


def find_pairs(db: Connection, part: Part, *, touched: Touched, links: LinksBelow, held: HeldBelow) -> Pairs:
    """The rows of a part from which anything follows; a first word on which both agree becomes their base."""
    compared = [prop for prop in part.properties if prop.mapped and prop.dir != "="]
    told: dict[str, object] = {
        "part": part.name,
        "properties": [prop.name for prop in compared],
        "refers_to": [prop.refers_to for prop in compared],
        "read_in": [prop.country for prop in compared],
    }
    linked = _BELOW_TOUCHED if part.parent else _TOUCHED_THEMSELVES
    pieces: Sequence[Mapping[str, int]] = [{}]
    if (links if part.parent else touched).found > PIECE and any_agreed(db, part):
        names = [prop.name for prop in compared]
        unsettled = find_unsettled(db, part, linked=linked, properties=names, held=held)
        linked, pieces = OF_A_PIECE, _pieces(unsettled.found)
    query = _pair_query(db, part, linked)
    found, first_words = _FOUND.format(pair=query), _AGREED_AT_ONCE.format(pair=query)
    pairs = Pairs.made(db, found, {**told, **pieces[0], "before": 0})
    for piece in pieces[1:]:
        pairs = pairs.more(found, {**told, **piece, "before": pairs.found})
    if is_any(db, "from touched where meeting"):
        for piece in pieces:
            db.execute(first_words, {**told, **piece, "at": now()})
    return pairs


def _pieces(found: int) -> list[Mapping[str, int]]:
    """Of so many pairs; one where there is none, since there is a table all the same."""
    return [{"after": at, "upto": at + PIECE} for at in range(0, max(found, 1), PIECE)]
