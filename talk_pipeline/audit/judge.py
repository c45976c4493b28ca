"""Every record and property of a flow judged: it agrees, differs for a reason on record, or nobody explains it."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from talk_pipeline.audit.canonical import NUMBERS, same
from talk_pipeline.audit.meaning import BC, SHOP, SIDES, Meanings, name_of
from talk_pipeline.audit.reader import Entity, Row
from talk_pipeline.audit.recorded import BASES, DECIDED, LINKS, READ, REASONS, SEEN
from talk_pipeline.audit.wire import Words

Rows = Mapping[str, Row]
# by which the form of a value may move while neither side says something else; without one, what travels both ways
# was never agreed on as two things
_ELSEWHERE = {"country", "in_currency", "values", "reads", "blank", "otherwise", "of", "split"}
_BY_HAND = "by hand"


class Finding(NamedTuple):
    """What does not agree; without a property it is the record or line as a whole; `name` is the record's key."""

    part: str
    name: str | None
    property: str
    shop_id: str | None
    bc_id: str | None
    what: str
    shop: str | None
    bc: str | None
    reason: str | None  # None: unexplained


class Judged(NamedTuple):
    """One flow, in numbers, and by name what does not agree: some property, or a record or line as a whole."""

    flow: str
    counts: dict[str, int]
    findings: list[Finding]
    unexplained: list[Finding]


class Auditor:
    """Judges one flow; `company` is its currency and time zone, `db` what the pipeline has on record."""

    def __init__(
        self, flow: Words, shop: Entity, company: tuple[str, ZoneInfo], db: duckdb.DuckDBPyConnection
    ) -> None:
        self._flow, self._shop, self._name = flow, shop, str(flow["flow"])
        self._findings, self._counts = list[Finding](), Counter[str]()

        def by_key(sql: str) -> dict[Any, Any]:
            rows = db.execute(sql, {"flow": self._name}).fetchall()
            return {tuple(key): value for *key, value in rows if None not in key}

        self._reasons, self._bases, self._seen = by_key(REASONS), by_key(BASES), by_key(SEEN)
        self._read, self._decided = by_key(READ), by_key(DECIDED)
        self._links, links = defaultdict[tuple[str, str], list[Any]](list), db.execute(LINKS).fetchall()
        for part, root, *link, _ in links:
            self._links[part, root].append(link)
        self._beside = [(one[2], *one[-2:]) for one in links if one[0] == self._name and one[-1]]
        self._meanings = Meanings(flow, shop, company, links=links, db=db)
        self._properties = self._meanings.parts[self._name]
        # a text that goes on in further properties is one text
        self._split = {
            (part, name): [of[one] for one in of if one in whole["split"]]
            for part, of in self._meanings.parts.items()
            for whole in of.values()
            for name in whole.get("split", ())
        }

    def judge(self, shop: Rows, bc: Rows, posted: Container[str | None]) -> Judged:
        """All records of both systems; `posted` are those that Business Central knows by what they became."""
        ours = {key: row for key, row in shop.items() if not row.is_deleted}
        self._counts["records"], self._keys = len(ours), defaultdict[Any, list[Row]](list)
        for side, rows in ((SHOP, ours), (BC, bc)):
            for name in {*self._flow["match"], self._flow["create_key"]} & set(self._properties):
                for row in rows.values():
                    self._keys[
                        side, name, self._meanings.canonical(side, self._properties[name], row)
                    ].append(row)
        alone, settings = dict(ours), self._flow.get("settings", {})
        lone = dict(bc) if settings.get("create") in ("both", "businesscentral") else {}
        for shop_id, bc_id, state, rule in self._links[self._name, ""]:
            left, right = ours.get(shop_id), bc.get(bc_id)
            if state != "held":
                alone.pop(shop_id, None)
            lone.pop(bc_id, None)
            if state == "active" and left and right:
                self._pair(left, right, rule)
            elif state == "active" or (state == "closed" and shop_id in shop and bc_id not in posted):
                what, roots = "the other of the pair is not there", (shop.get(shop_id), right)
                why = "posted, and not noticed yet" if left and bc_id in posted else None
                self._report(what, roots, ids=(shop_id, bc_id), why=why)
        for shop_id, rule, shared in self._beside:
            if shop_id in ours:
                self._shares(ours[shop_id], bc.get(shared), shared, rule)
        for row in alone.values():
            self._report("has no counterpart", (row, None))
        for row in lone.values():
            self._report("has no counterpart", (None, row), why=self._meanings.left_out(row))
        self._twins(self._flow["create_key"])
        unexplained = [one for one in self._findings if one.reason is None]
        explained = len(self._findings) - len(unexplained)
        counts = {name: self._counts[name] for name in ("records", "properties", "agree")}
        counts |= {"differ_with_reason": explained, "unexplained": len(unexplained)}
        return Judged(self._name, counts, self._findings, unexplained)

    def _twins(self, key: str) -> None:
        """Records that share the key by which one is created, in the shop or beside one of the shop."""
        for (side, name, value), rows in self._keys.items():
            named = self._keys.get((SHOP, key, value), []) if name == key and value else []
            if named and len(rows) > 1:
                why = self._about("", *named, *rows) or self._about("beside", *named)
                for row in rows:
                    roots = (row, None) if side == SHOP else (None, row)
                    self._report(f"one of {len(rows)} with this key", roots, why=why)

    def _shares(self, shop: Row, bc: Row | None, shared: str, rule: str) -> None:
        """Of one that is beside a pair: what it shares is there, and is what it shares it by."""
        if bc is None:
            self._report("what it shares is not there", (shop, None), ids=(shop.id, shared))
        elif rule in self._flow["match"]:
            self._linked_by(rule, shop, bc)
        else:
            self._as_decided(rule, shop, bc)

    def _as_decided(self, rule: str, shop: Row, bc: Row) -> None:
        """Of one that a person linked: it is with whom the person said."""
        said = self._decided.get((shop.id,), bc.id)
        if rule == _BY_HAND and said != bc.id:
            self._report(f"linked by hand, and a person said with {said}", (shop, bc))

    def _linked_by(self, name: str, shop: Row, bc: Row) -> bool:
        """Whether a key of the shop is known to Business Central; that it is not another's there is seen to.

        What waits of a key explains that only where the shop has another one than when the two agreed: what a wrong
        link has planned waits as well.
        """
        prop, base = self._properties[name], self._bases.get((self._name, shop.id, name))
        key = self._meanings.canonical(SHOP, prop, shop)
        others = [row.id for row in self._keys.get((BC, name, key), ())] if key else []
        if others and bc.id not in others:
            edited = base and self._meanings.canonical(SHOP, prop, shop, base[0]) != key
            what = f"linked, though its {name} is that of {others[0]}"
            why = self._about(name, shop, bc) if edited else None
            self._report(what, (shop, bc), raw=(key, None), why=why)
        return bool(others)

    def _pair(self, shop: Row, bc: Row, rule: str) -> None:
        if rule in (_BY_HAND, "merged", "handed over"):
            self._as_decided(rule, shop, bc)
        else:
            any(self._linked_by(name, shop, bc) for name in self._flow["match"])
        for prop in self._flow["properties"]:
            self._property(self._name, prop, "", (shop, bc), (shop, bc))
        for name, child in self._flow["children"].items():
            part, path = f"{self._name}.{name}", child["customwebshop"]
            left, right = self._lines(SHOP, shop, name), self._lines(BC, bc, name)
            loose = []
            for shop_id, bc_id, *_ in self._links[part, shop.id]:
                lines = left.pop(shop_id, None), right.pop(bc_id, None)
                loose += [(shop_id, bc_id)] if any(lines) and not all(lines) else []
                for prop in child["properties"] if all(lines) else ():
                    self._property(part, prop, path, (shop, bc), lines)
            loose += [(key, None) for key in left]
            loose += [(None, key) for key in right if self._shop.takes(path)]
            for ids in loose:
                self._report("a line is at one side only", (shop, bc), (part, ""), ids)

    def _lines(self, side: str, row: Row, name: str) -> dict[str, Row]:
        """A record's lines of a kind; where an amount says whether there is one, not those of none."""
        child, part = self._flow["children"][name], f"{self._name}.{name}"
        told = self._meanings.parts[part].get(child.get("there_by"))
        path = child["customwebshop"] if side == SHOP else name
        lines = {line.id: line for line in row.entity.lines(row, path)}
        return {
            key: line
            for key, line in lines.items()
            if told is None or self._meanings.canonical(side, told, line, part=part) not in (None, "0")
        }

    def _property(self, part: str, prop: Words, lines: str, roots: Any, pair: Any) -> None:
        kind, name, way, (shop, bc) = prop["type"], name_of(prop), self._meanings.way(prop, lines), pair
        if way == "-":
            return
        self._counts["properties"] += 1
        raw = [self._meanings.raw(SHOP, prop, shop), self._meanings.raw(BC, prop, bc)]
        left, right = (
            self._meanings.canonical(side, prop, row, part=part)
            for side, row in zip(SIDES, pair, strict=True)
        )
        within = str(self._flow.get("settings", {}).get("tolerance", 0)) if way == "=" else None
        derived = "when_all" in prop or "when_closed" in prop  # kept in canonical form
        known = [self._read.get((part, row.id, name)) for row in pair] == raw
        base, what, why = self._bases.get((part, shop.id, name), []), "differs", None
        source = SIDES[way == "<-"]
        said = left if source == SHOP else right
        blank = way in ("->", "<-") and said is None
        if blank and base:  # it was said, and is no more
            blank = (
                self._meanings.canonical(source, prop, pair[source == BC], base[source == BC], part) is None
            )
        nothing_said = blank or raw[0] in prop.get("keep", ())
        nothing_said = nothing_said or (left is None and prop.get("blank_keeps") == "true")
        if self._is_one_text(self._split.get((part, name), ()), shop, bc):
            self._counts["agree"] += 1
            return
        held = self._meanings.canonical(SHOP, prop, shop, base[0], part) if base else None
        if nothing_said or same(kind, left, right, within, held):
            kept = base and (base[1] if derived else self._meanings.canonical(BC, prop, bc, base[1], part))
            if (
                not base
                or way != "<->"
                or (same(kind, left, held, before=held) and same(kind, kept, right, before=held))
            ):
                self._counts["agree"] += 1
                return
            what = f"both agree, and are on record with {' and '.join(map(repr, base))}"
        else:
            if base and self._was_read(roots) and (known or derived):
                stays = [base[0] == raw[0], base[1] == (right if derived else raw[1])]
                why = _on_record(prop, way, stays)
            if way in ("->", "<-") and not base and known and said == "0" and kind.startswith(NUMBERS):
                why = f"{source} says nothing, as zero does where two meet: the value of the other stays"
            if way == "=" or prop.get("only"):
                why = why or self._about("=", *roots)
                why = why or ("never written to an existing record, and known" if known else None)
        self._report(what, roots, (part, name), (shop.id, bc.id), raw=raw, why=why)

    def _was_read(self, roots: Any) -> bool:
        """Whether both systems show these records as of when they were last read."""
        return all(
            self._seen.get((side, row.id)) in row.modified for side, row in zip(SIDES, roots, strict=True)
        )

    def _is_one_text(self, split: Iterable[Words], shop: Row, bc: Row) -> bool:
        here = {one["shop"]: self._meanings.raw(SHOP, one, shop) or "" for one in split}.values()
        there = [self._meanings.raw(BC, one, bc) or "" for one in split]
        return bool(there) and " ".join(here).split() == " ".join(there).split()

    def _report(self, what: str, roots: Any, at: Any = ("", ""), ids: Any = None, **said: Any) -> None:
        """A finding of a property or line, or of all of a record, with the reason on record if there is one."""
        (part, name), raw, why = at, said.get("raw", (None, None)), said.get("why")
        there = [(side, row) for side, row in zip(SIDES, roots, strict=True) if row]
        ids, key = ids or [row and row.id for row in roots], self._properties[self._flow["create_key"]]
        asked = [(part or self._name, one, name) for one in ids]
        asked += [(self._name, one, "*") for one in (*(row.id for _, row in there), *ids)]
        late = (f"changed in {side} since the last run" for side, row in there if self._is_newer(side, row))
        why = why or self._why(asked) or next(late, None)
        called = next((self._meanings.raw(side, key, row) for side, row in there), None)
        found = Finding(part or self._name, called, name, ids[0], ids[1], what, raw[0], raw[1], why)
        self._findings.append(found)

    def _why(self, asked: Iterable[tuple[str, str | None, str]]) -> str | None:
        return next(filter(None, map(self._reasons.get, asked)), None)

    def _about(self, name: str, *rows: Row) -> str | None:
        return self._why((self._name, row.id, name) for row in rows)

    def _is_newer(self, side: str, row: Row) -> bool:
        """Whether it was edited within a day and is not read: a run since then would have taken that up."""
        now, a_day = datetime.now(UTC).replace(tzinfo=None), timedelta(days=1)  # no clock is ahead by more
        read, seen = self._seen.get((side, "")), self._seen.get((side, row.id))
        overlap = timedelta(minutes=float(self._flow.get("settings", {}).get("overlap_minutes", 5)))
        since = max(now - a_day, read - overlap) if read else now - a_day
        times = {one for one in row.modified if one and since <= one < now + a_day}
        return bool(times) and seen not in times


def _on_record(prop: Words, way: str, stays: list[bool]) -> str | None:
    """Why what was read so need not agree, by whether each side says what it did when the two last agreed."""
    if way in ("->", "<-") and stays[way == "<-"]:
        source, target = SIDES if way == "->" else SIDES[::-1]
        return f"{source} says what it did when they met or last agreed: the value of {target} stays"
    moves = way != "<->" or prop["type"].startswith("reference") or _ELSEWHERE & set(prop)
    return "on record as it is, since they met or last agreed" if moves and all(stays) else None
