"""What reading a system hands to the landing."""

from typing import ClassVar

from talk_pipeline.engine.state.workspace import Temp


class Incoming(Temp):
    """Fetched records that have not landed yet."""

    NAME: ClassVar[str] = "incoming"
    COLUMNS: ClassVar[str] = (
        "id varchar, version varchar, modified_at timestamp, deleted boolean, payload varchar"
    )


class Fresh(Temp):
    """The spooled records that differ from what is held, with that, counted by `place`."""

    NAME: ClassVar[str] = "fresh"


class Stored(Temp):
    """All that is held of a side, counted by `place`: `id, version, gone, payload`."""

    NAME: ClassVar[str] = "stored"
