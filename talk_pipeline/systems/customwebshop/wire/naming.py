"""What the names in braces stand for in what is sent of one write: ids, the version, and what is new by its key."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.ids import Id
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json
from talk_pipeline.systems.customwebshop.spec.places import header_of
from talk_pipeline.systems.customwebshop.spec.templates import KEY, VERSION, Known

_KEYS = uuid.UUID("5d0f3b0e-6f3c-5b0a-9c55-3a7d6f1f2c11")
"""Keys of what a write makes are made in this space: nobody else's are."""


@dataclass(frozen=True, slots=True)
class Names:
    """What one write may name.

    Attributes:
        entity: of the record.
        key: of the write; the same for every repetition of it.
        record_id: the record's id, where it has one already.
        record: the record as it is known.
        version: the version to write against, where one is known.
        begun: the answer that began what goes on.
        line: the id of the entry that is meant, with how that is told.
    """

    entity: Entity
    key: str
    record_id: str | None = None
    record: Json = None
    version: str | None = None
    begun: Json = None
    line: tuple[str, Id] | None = field(default=None)

    def but(self, **values: object) -> Self:
        """The same with something known better."""
        return replace(self, **values)  # type: ignore[arg-type]

    def about(self, entry: str) -> Self:
        """The same for what is made beside the record, as an entry of a list."""
        return replace(self, key=f"{self.key}/{entry}")

    @property
    def ids(self) -> Mapping[str, str]:
        """As they stand in addresses, and within longer texts."""
        told = {"id": self.record_id, VERSION: self.version, KEY: self.new_id}
        told |= {"line": self.line[0]} if self.line else {}
        return {name: value for name, value in told.items() if value is not None}

    @property
    def new_id(self) -> str:
        """32 hexadecimal digits that only this write has, and each repetition of it."""
        return uuid.uuid5(_KEYS, self.key).hex

    @property
    def known(self) -> Known:
        """As they stand in what is sent: by themselves as the shop says them, which may be numbers."""
        told: dict[str, Json] = dict(self.ids)
        if self.record_id:
            told["id"] = self.entity.id.own(self.record_id, self.record)
        if self.version is not None:
            told[VERSION] = self._own_version(self.version)
        if self.line:
            told["line"] = self.line[1].wire(self.line[0])
        return Known(self.ids, told, {"begun": self.begun})

    def _own_version(self, version: str) -> Json:
        place = self.entity.version.at if self.entity.version else None
        own = paths.get(self.record, place) if place and not header_of(place) else MISSING
        return int(version) if isinstance(own, int) and version.isdigit() else version
