"""What is called as the records of a test are, and is none of their business: whoever forgets to ask finds it too.

Of every record there is one of another flow with the same ids, of which everything is said that can be said of a
record; and one of the same flow on the other side, whose pair has ended. They are there while the engine is at
work and taken out before a test looks, and must then be what they were.
"""

from talk_pipeline.engine.state.connection import Connection

# other flows and parts are called `namesake:` and as those of the test; what the same id on the other side is
# linked with is `~` and that id
_OTHERWISE = """
create temp macro if not exists otherwise(said) as map_from_entries(list_transform(map_entries(said),
  lambda e: {'key': e.key,
             'value': e.value || case when try_cast(e.value as double) is null then '~' else '0' end}))
"""

# the same id on the other side, where that is nobody's yet; what it is linked with is called as nobody is
_MIRRORED = """
select r.part, case r.side when 'customwebshop' then 'businesscentral' else 'customwebshop' end as side, r.id,
       case when r.id = r.root_id or [r.side] = (
              select list(o.side) from record o where o.part = split_part(r.part, '.', 1) and o.id = r.root_id)
            then r.root_id else '~' || r.root_id end as root_id,
       r.position, r.raw
from record r
where not starts_with(r.part, 'namesake:') and not exists (
  from record o where o.part = r.part and o.id = r.id and o.side <> r.side)
and not exists (from link l where l.part = r.part and (l.shop_id = r.id or l.bc_id = r.id)
  and case r.side when 'customwebshop' then l.bc_id else l.shop_id end = r.id)
"""

_NAMED = """
select distinct split_part(part, '.', 1) as flow, part, side, id, root_id, part = split_part(part, '.', 1) as own
from record where id is not null
"""

# of the other flow: what is there is there too and says something else, and of each record everything is said
_OF_ANOTHER_FLOW = {
    "link": """
        select 'namesake:' || part, shop_id, bc_id, root_shop_id, rule,
               case state when 'active' then 'closed' else 'active' end, linked_at,
               case when met_at is null then linked_at end, shared_id, called
        from link
        union all
        select 'namesake:' || part, case side when 'customwebshop' then id else '~' || id end,
               case side when 'customwebshop' then '~' || id else id end, root_id, 'number', 'active', now(),
               null, null, null
        from aside.named n where not exists (
          from link l where l.part = n.part and (l.shop_id = n.id or l.bc_id = n.id))
        """,
    "snapshot": """
        select 'namesake:' || flow, side, id, 'vn', modified_at, edited_at, fetched_at,
               case when gone is null then 'deleted' end, '{}', earlier
        from snapshot
        """,
    "dirty": "select distinct 'namesake:' || flow, side, root_id, now() from aside.named",
    "base": """
        select 'namesake:' || part, id, unnest(map_keys(raw)), 'x~', 'y~', 9, 'customwebshop', now()
        from record where side = 'customwebshop'
        """,
    "edit": """
        select 'namesake:' || part, id, unnest(map_keys(raw)), 'businesscentral', now(), 'vn'
        from record where side = 'customwebshop'
        """,
    "candidate": "select 'namesake:' || flow, id, '~' || id, 'number', null from aside.named where own",
    "status": "select distinct 'namesake:' || flow, id, 'held', 'of another', now() from aside.named where own",
    "apart": "select 'namesake:' || flow, id, id, true, now(), 'a person', true from aside.named where own",
    "change": """
        select 'namesake:' || flow, 'namesake:' || part, target, operation, shop_id, bc_id, root_shop_id,
               root_bc_id, property, before, 'of another', base, rule, not conflict,
               case when hold_kind is null then 'manual' end, 'of another'
        from change
        union all
        select 'namesake:' || flow, 'namesake:' || part, target, operation, id, id, root_id, root_id, 'number', 'a',
               'b', null, 'edited', false, null, null
        from aside.named cross join (select unnest(['customwebshop', 'businesscentral']) as target)
        cross join (select unnest(['create', 'update', 'delete']) as operation)
        """,
    "refusal": """
        select 'namesake:' || flow, 'namesake:' || part, target, root_id, id, ['number'], 'as it is', 'of another',
               now(), true, 'refused'
        from aside.named cross join (select unnest(['customwebshop', 'businesscentral']) as target)
        """,
    "journal": """
        select 'namesake:' || part || ':' || id || ':' || target, 'of another', 'namesake:' || flow,
               'namesake:' || part, target, 'create', id, id, root_id, null, now(), null, null, null, now(),
               now() + interval 1 day, root_id, 0
        from aside.named cross join (select unnest(['customwebshop', 'businesscentral']) as target)
        """,
    "resolution": """
        select 'namesake:' || part, shop_id, property, 'customwebshop', before, after, 'a person', now() from change
        where shop_id is not null
        """,
    "conflict": """
        select 'namesake:' || part, 'namesake:' || part, id, id, 'number', 'manual', 'customwebshop', 'a', 'b',
               now(), now(), null, null, 'of another', now(), null, null, null, null
        from aside.named where own
        """,
    "loss": """
        select 'namesake:' || flow, id, id, lost, lost, now(), null, null from aside.named
        cross join (select unnest([true, false]) as lost) where own
        union all
        select 'namesake:' || part, shop_id, bc_id, false, false, now(), null, null from link
        """,
    "record": """
        select 'namesake:' || part, side, id, root_id, position, 'vn', 'hn', not open, otherwise(raw),
               otherwise(canon), map {'number': 'does not fit'}
        from record
        """,
}

_OF_THE_OTHER_SIDE = {
    "link": """
        select distinct on (part, id) part, case side when 'customwebshop' then id else '~' || id end,
               case side when 'customwebshop' then '~' || id else id end,
               case side when 'customwebshop' then root_id else '~' || root_id end, 'number', 'closed', now(),
               now(), null, map {'erp_number': '~' || id}
        from aside.mirrored
        """,
    # of a pair that has ended, what Business Central had was posted
    "snapshot": """
        select part, side, id, 'vm', now(), now(), now(), if(side = 'businesscentral', 'posted', null), '{}', null
        from (
          select part, side, id from aside.mirrored
          union all
          select part, case side when 'customwebshop' then 'businesscentral' else 'customwebshop' end, '~' || id
          from aside.mirrored
        ) where part = split_part(part, '.', 1)
        """,
    "record": """
        select part, side, id, root_id, position, 'vm', 'hm', false, otherwise(raw), otherwise(raw), map {}
        from aside.mirrored
        union all
        select part, case side when 'customwebshop' then 'businesscentral' else 'customwebshop' end, '~' || id,
               '~' || root_id, position, 'vm', 'hm', false, otherwise(raw), otherwise(raw), map {}
        from aside.mirrored
        """,
}

_BY_PART = ("link", "base", "edit", "resolution", "record")
_IS_OTHER = {
    **{table: "starts_with(part, 'namesake:')" for table in ("link", "base", "edit", "resolution", "record")},
    **{
        table: "starts_with(flow, 'namesake:')"
        for table in (
            "snapshot",
            "dirty",
            "candidate",
            "status",
            "apart",
            "change",
            "refusal",
            "journal",
            "conflict",
            "loss",
        )
    },
}
_IS_MIRROR = {
    "link": "starts_with(shop_id, '~') or starts_with(bc_id, '~')",
    "snapshot": "version = 'vm'",
    "record": "version = 'vm'",
}


class Namesakes:
    """Those of one state, put and taken out.

    The statements are prepared: to work one out takes ten times as long as to run it on a few records. What was
    prepared is worked out anew where a table came or went since, so their own lie in a database of their own.
    """

    def __init__(self, db: Connection) -> None:
        self._db, self._put, self._prepared = db, dict[str, object](), False

    def put(self) -> None:
        """Of all that is there now."""
        self.take()
        if not self._prepared:
            self._prepare()
        for name in _PUT:
            self._db.execute(f"execute {name}")
        self._put = self._there()

    def take(self) -> None:
        """Out of what is there.

        Raises:
            AssertionError: somebody changed one of them.
        """
        if not self._put:
            return
        put, there, self._put = self._put, self._there(), {}
        for name in _TAKE:
            self._db.execute(f"execute {name}")
        changed = sorted(table for table in put if put[table] != there[table])
        assert not changed, f"changed of another flow or side: {', '.join(changed)}"

    def _there(self) -> dict[str, object]:
        return dict(self._db.execute("execute there").fetchall())

    def _prepare(self) -> None:
        self._db.execute("attach ':memory:' as aside")
        for table, query in _ASIDE.items():
            self._db.execute(f"create table aside.{table} as {query} limit 0")
        self._db.execute(_OTHERWISE)
        for name, statement in (_PUT | _TAKE | {"there": _THERE}).items():
            self._db.execute(f"prepare {name} as {statement}")
        self._prepared = True


def _theirs(table: str) -> str:
    return " or ".join(f"({one[table]})" for one in (_IS_OTHER, _IS_MIRROR) if table in one)


_ASIDE = {"named": _NAMED, "mirrored": _MIRRORED}
_PUT = {
    **{f"empty_{table}": f"delete from aside.{table}" for table in _ASIDE},
    **{f"find_{table}": f"insert into aside.{table} {query}" for table, query in _ASIDE.items()},
    **{f"put_{table}": f"insert into {table} {query}" for table, query in _OF_ANOTHER_FLOW.items()},
    **{
        f"put_mirrored_{table}": f"insert into {table} {query}" for table, query in _OF_THE_OTHER_SIDE.items()
    },
}
_TAKE = {f"take_{table}": f"delete from {table} where {_theirs(table)}" for table in _IS_OTHER}
_THERE = " union all ".join(
    f"select '{table}', (count(*), sum(hash(o))) from {table} o where {_theirs(table)}" for table in _IS_OTHER
)
