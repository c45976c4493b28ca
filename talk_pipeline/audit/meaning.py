"""What records say, in the form that is compared: in the shop's words, by what is linked with what."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from talk_pipeline.audit.canonical import NUMBERS, canonical, tidy
from talk_pipeline.audit.reader import Entity, Row
from talk_pipeline.audit.recorded import TOLD
from talk_pipeline.audit.wire import Words

SIDES = SHOP, BC = "customwebshop", "businesscentral"


class Meanings:
    """What the records and lines of one flow mean; `company` is the currency and time zone of the books.

    Attributes:
        parts: the properties of the flow's records, and of each kind of lines, by part and name.
    """

    def __init__(
        self,
        flow: Words,
        shop: Entity,
        company: tuple[str, ZoneInfo],
        *,
        links: Sequence[Any],
        db: duckdb.DuckDBPyConnection,
    ) -> None:
        self._flow, self._shop, self._company, self._name = flow, shop, company, str(flow["flow"])
        parts = {self._name: flow["properties"]}
        parts |= {f"{self._name}.{key}": one["properties"] for key, one in flow["children"].items()}
        self.parts = {part: {name_of(one): one for one in of} for part, of in parts.items()}
        self._shop_ids = {
            (part, bc_id): shop_id
            for part, _, shop_id, bc_id, state, *_ in links
            if state in ("active", "closed")
        }
        told = [prop for of in parts.values() for prop in of if "told_by" in prop]
        for other, name in {(one["type"][10:-1], one["told_by"]) for one in told}:
            for word, shop_id in db.execute(TOLD, [name, other]).fetchall():
                self._shop_ids[other, word] = shop_id
        self._theirs = {(part, shop_id): other or bc_id for part, _, shop_id, bc_id, *_, other in links}
        # several of the shop may be one in Business Central: each stands for the one that is linked with it
        shared = {(part, shop_id): other for part, _, shop_id, *_, other in links if other}
        self._meant = {key: self._shop_ids.get((key[0], other), f"?{other}") for key, other in shared.items()}

    def way(self, prop: Words, lines: str) -> str:
        """How a property travels with this shop: not at all where it has none, one way where it takes none."""
        told = [one for path in paths_of(prop) if (one := self._shop.field(path, lines)) is not None]
        if paths_of(prop) and not told:
            return "-"
        taken = all(one.get("write") != "false" and "const" not in one for one in told)
        ways = {} if taken and self._shop.takes(lines) else {"<->": "->", "<-": "-"}
        return str(ways.get(prop["dir"], prop["dir"]))

    def raw(self, side: str, prop: Words, row: Row) -> str | None:
        """What a record or a line says of a property, in its own words."""
        if side == BC:
            return tidy(row.says(prop["bc"])) if "bc" in prop else None
        raw = filter(None, (tidy(row.says(path)) for path in paths_of(prop)))
        return next(raw, None) if paths_of(prop) else self._flow["settings"]["constants"][name_of(prop)]

    def canonical(
        self, side: str, prop: Words, row: Row, raw: Any = ..., part: str | None = None
    ) -> str | None:
        """What a record or a line of that part says, or raw, in the form that is compared: in the shop's words."""
        beside = self.parts[part or self._name]
        raw = self.raw(side, prop, row) if raw is ... else raw
        kind, (lcy, zone) = prop["type"], self._company
        if side == SHOP:
            if "otherwise" in prop and (raw or "").partition(":")[0] in ("", prop["otherwise"]):
                meant = self.raw(side, beside[prop["of"]], row) if "of" in prop else row.id
                made = self._theirs.get((prop["otherwise"], meant), "nothing")
                return str(self._shop_ids.get((kind[10:-1], made), f"?{made}"))
            raw = raw or prop.get("blank")
            raw = self._meant.get((kind[10:-1], raw), raw)
            foreign = tidy(row.says(prop["in_currency"])) if "in_currency" in prop else None
            if foreign and foreign.upper() != lcy:
                return f"{raw} {foreign}"
        else:
            words = {bc: shop for shop, bc in prop.get("values", {}).items()} | dict(prop.get("reads", {}))
            raw = words.get(raw or "", raw and f"{raw} (none of the words)") if words else raw
            raw = prop["told_as"].replace("{}", raw) if raw and "told_as" in prop else raw
            if kind.startswith("reference") and raw:
                raw = raw.removeprefix(f"{prop.get('told_by')}:")  # on record with what it is told by
                raw = self._shop_ids.get((kind[10:-1], raw), f"?{raw}")
            whole = prop.get("when_all", {})
            lines = row.entity.lines(row, whole["children"]) if whole else ()
            counts = [[Decimal(line.says(one) or 0) for one in whole["equal"]] for line in lines]
            raw = whole["gives"] if counts and all(one == other > 0 for one, other in counts) else raw
        country = self.raw(side, beside[prop["country"]], row) if "country" in prop else None
        return canonical(kind, raw, currency=lcy, zone=zone, country=country)

    def left_out(self, row: Row) -> str | None:
        """Why a record of Business Central gets none in the shop: by what it says."""
        for name, asked in self._flow["settings"].get("create_scope_businesscentral", {}).items():
            said = self.canonical(BC, self.parts[self._name][name], row)
            wanted = {"one_of": asked} if isinstance(asked, list) else asked
            if not all(
                self._holds(self.parts[self._name][name]["type"], said, *one) for one in wanted.items()
            ):
                return f"excluded: {name} is {said or 'blank'}"
        return None

    def _holds(self, kind: str, said: str | None, way: str, asked: Any) -> bool:
        """Whether a value is as a condition wants it, whose words are the shop's."""
        if way == "filled":
            return (said is not None) == (str(asked) == "true")
        if way in ("one_of", "none_of"):
            (lcy, zone), is_one = self._company, way == "one_of"
            words = [canonical(kind, one, currency=lcy, zone=zone, country=None) or "" for one in asked]
            return ((said or "") in words) == is_one
        form: Any = Decimal if kind.startswith(NUMBERS) else str
        low, high = (asked, said) if way == "at_least" else (said, asked)
        return said is not None and bool(form(low) <= form(high))


def paths_of(prop: Words) -> list[str]:
    """Where the shop has a property: the first of them that is filled says it."""
    return [path.strip() for path in prop["shop"].split("|")] if "shop" in prop else []


def name_of(prop: Words) -> str:
    """How a property is called."""
    return str(prop.get("name") or paths_of(prop)[0])
