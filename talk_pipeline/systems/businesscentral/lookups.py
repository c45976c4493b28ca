"""What a write means in the words of Business Central: ids of what is named by a code, and the parts of a key.

Flows say what is shown of such a record; Business Central is told its id. Each is asked for once in a run, when
something is to be written that names it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from talk_pipeline.engine.model import Outcome, Result, Write
from talk_pipeline.flows.values import Value, tidy, upper
from talk_pipeline.systems.businesscentral.beside import Beside
from talk_pipeline.systems.businesscentral.description import EntitySet, Records
from talk_pipeline.systems.businesscentral.keyed import NoKeyError
from talk_pipeline.systems.businesscentral.queries import encoded


class _NotFoundError(Exception):
    """There is no such record, or there are several."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What was found so far.

    Attributes:
        ask: the records at an address.
        place: the address of a set, by the root of its API.
    """

    ask: Callable[[str], Awaitable[list[dict[str, Any]]]]
    place: Callable[[str, str], str]
    _known: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def told(self, described: EntitySet, writes: Sequence[Write]) -> list[Write | Outcome]:
        """The writes as Business Central takes them; a refusal where what one names is not there."""
        async with self._one_by_one:  # what another batch is asking for is not asked for again
            return [await self._told(described, write) for write in writes]

    async def _told(self, described: EntitySet, write: Write) -> Write | Outcome:
        records = described.children[write.child] if write.child else described
        try:
            values = await self._values(described.root, records, write.values)
            children = {
                path: tuple(
                    [
                        replace(
                            edit,
                            values=await self._values(described.root, described.children[path], edit.values),
                        )
                        for edit in edits
                    ]
                )
                for path, edits in write.children.items()
            }
        except _NotFoundError as error:
            # somebody may make it, and then the same write is right
            return Outcome(Result.REFUSED, reason=str(error), about_another=True)
        except NoKeyError as error:
            return Outcome(Result.REFUSED, reason=str(error))
        return replace(write, values=values, children=children)

    async def _values(self, root: str, records: Records, values: Mapping[str, Value]) -> Mapping[str, Value]:
        values = records.apart(values)
        named: dict[str, dict[str, Value]] = {}
        for path, value in values.items():
            if path not in records.properties:
                name, _, inner = path.partition(".")
                named.setdefault(name, {})[inner] = value
        if not named:
            return values
        found: dict[str, Value] = {}
        known = dict(values)
        for name in _in_turn(records, named):
            beside = records.beside[name]
            found[name] = await self._meant(root, records, beside, named[name], known)
            known[beside.named_by or ""] = found[name]
        told: dict[str, Value] = {}
        for path, value in values.items():
            name = path.partition(".")[0]
            if name in found and path not in records.properties:
                told[records.beside[name].named_by or ""] = found[name]
            else:
                told[path] = value
        return told

    async def _meant(
        self,
        root: str,
        records: Records,
        beside: Beside,
        said: Mapping[str, Value],
        values: Mapping[str, Value],
    ) -> Value:
        """The id of the record that says that; nothing where nothing is said."""
        if not any(said.values()):
            return None
        name = beside.set or ""
        wanted = {one: value for one, value in said.items() if value}
        literals = {one: beside.properties[one].literal(value) for one, value in wanted.items() if value}
        within = {
            there: records.properties[here].literal(values.get(here) or "")
            for there, here in beside.within.items()
        }
        terms = [f"{one} eq {literal}" for one, literal in (literals | within).items() if literal]
        condition = " and ".join(terms)
        key = f"{root}/{name}", condition
        if key in self._known:
            return self._known[key]
        rows = []
        if len(terms) == len(literals) + len(within):  # else one of them is longer than any there may be
            query = {"$select": ",".join(dict.fromkeys((beside.key, *wanted))), "$filter": condition}
            rows = await self.ask(f"{self.place(root, name)}?{encoded(query)}")
        ids = [
            str(row[beside.key])
            for row in rows
            if all(
                upper(tidy(str(row.get(one, ""))) or "") == upper(value or "")
                for one, value in wanted.items()
            )
        ]
        if len(ids) != 1:
            told = " and ".join(f"{one} is {value!r}" for one, value in wanted.items())
            raise _NotFoundError(
                f"{name} of Business Central has {'several' if ids else 'none'} whose {told}"
            )
        self._known[key] = ids[0]
        return ids[0]


def _in_turn(records: Records, names: Iterable[str]) -> Iterator[str]:
    """What others are looked for among comes first: the hall, and then the bay that is one of it."""
    left = list(names)
    while left:
        ids = {records.beside[name].named_by for name in left}
        free = [name for name in left if ids.isdisjoint(records.beside[name].within.values())]
        yield from free or left
        left = [name for name in left if name not in (free or left)]
