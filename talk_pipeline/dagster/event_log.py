"""Dagster's event log in SQLite, as Dagster ships it, at a fraction of its cost. Named in `dagster.yaml`.

A run of three flows writes some hundreds of events, among them one for each check that is planned. As shipped, each
of them opens a new engine and new connections, so that SQLAlchemy works out every statement anew, and is committed
in up to four transactions: more than half of the time of a run with nothing to do. Here an engine is kept, a
connection for a second, an event takes one transaction a file, and the events that Dagster hands over together are
written together. The files are the same: whoever opens the home without this reads and writes them too.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from alembic.migration import MigrationContext
from dagster import Field, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.events.log import EventLogEntry
from dagster._core.instance import DagsterInstance
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event

from talk_pipeline.settings import batch_events

ENGINES = 16  # one a run that is read or written, and one for what all runs share
KEPT_SECONDS = 1  # a connection; a file that was put in the place of another one is not missed for longer
SETTINGS: UserConfigSchema = {"base_dir": Field(StringSource, is_required=False)}
"""What `dagster.yaml` may say of a storage: its folder, if it is not where it belongs."""


class EventLog(SqliteEventLogStorage):
    """The event log of a home: a file a run, and one for what is asked across runs."""

    def __init__(self, base_dir: str | None = None, inst_data: ConfigurableClassData | None = None) -> None:
        """Begins at once where it is told its folder, otherwise with the home that it becomes part of."""
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._open: dict[str, Connection] = {}
        self._together: ExitStack | None = None
        self._there: set[tuple[str, str]] = set()
        self._lock = RLock()  # within a batch, what is opened once is used again
        self._inst_data = inst_data
        self._begun = base_dir is not None
        if base_dir is not None:
            super().__init__(base_dir, inst_data)

    def register_instance(self, instance: DagsterInstance) -> None:
        """Lies where Dagster's own log of that home would: settings that named the folder could not be moved."""
        if not self._begun:
            super().__init__(str(Path(instance.root_directory) / "history" / "runs"), self._inst_data)
        batch_events()
        super().register_instance(instance)

    def dispose(self) -> None:
        """Closes what is open."""
        super().dispose()
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """What may be said of it."""
        return SETTINGS

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "EventLog":
        """As Dagster makes it from its settings."""
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: EventLogEntry) -> None:
        """Stores an event in one transaction a file."""
        with self._at_once():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Stores events in one transaction a file."""
        with self._at_once():
            super().store_event_batch(events)

    def has_table(self, table_name: str) -> bool:
        """Whether the file of what is asked across runs has a table."""
        return self._stays("table", table_name, lambda: super(EventLog, self).has_table(table_name))

    def has_secondary_index(self, name: str) -> bool:
        """Whether what is asked across runs was brought to that form."""
        return self._stays("form", name, lambda: super(EventLog, self).has_secondary_index(name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        found = super()._has_asset_key_col_on_connection
        return self._stays("column", column_name, lambda: found(conn, column_name))

    def _stays(self, kind: str, name: str, found: Callable[[], bool]) -> bool:
        """What is there stays, and is not looked for again; what is not may come with an upgrade."""
        if (kind, name) not in self._there and found():
            self._there.add((kind, name))
        return (kind, name) in self._there

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """What is written inside is written in one transaction a file; an inner one belongs to the outer one."""
        with self._lock:
            if self._together is not None:
                yield
                return
            with ExitStack() as together:
                self._together = together
                together.callback(self._tell_watchers)
                try:
                    yield
                finally:
                    self._together = None

    def _tell_watchers(self) -> None:
        """The UI watches the file of a run, and what is written goes into the journal beside it."""
        for shard in self._open:
            with suppress(FileNotFoundError):  # whoever prunes was faster
                os.utime(self.path_for_shard(shard))
        self._open.clear()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._lock:
            if self._together is None:
                with self._engine(shard).begin() as connection:
                    yield connection
                return
            if shard not in self._open:
                self._open[shard] = self._together.enter_context(self._engine(shard).begin())
            yield self._open[shard]

    def _engine(self, shard: str) -> Engine:
        """The engine of a file."""
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                pool_size=1,
                pool_recycle=KEPT_SECONDS,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
            event.listen(engine, "connect", _without_waiting_for_the_disk)
            if not is_made(engine, Path(self.path_for_shard(shard))):
                self._initdb(engine)
        self._engines[shard] = engine
        if len(self._engines) > ENGINES:
            self._engines.popitem(last=False)[1].dispose()
        return engine


def is_made(engine: Engine, file: Path) -> bool:
    """Whether a file of Dagster's has its tables, in whichever form.

    Dagster asks Alembic, which loads each form that they ever had, to do nothing where there is any.
    """
    if not file.exists():  # to look into it would make it
        return False
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() is not None


def _without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    """A power cut may cost the last events of a run, and nothing else: they are shown, and decide nothing.

    The journal of a file is on disk before the file takes over what is in it: with `off` the file would be damaged.
    """
    connection.execute("pragma synchronous = normal")
