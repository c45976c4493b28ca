"""What Dagster knows of runs, and of sensors and schedules, in SQLite as it ships them, at a seventh of their cost.

As shipped, each question opens an engine and a connection of its own, so that SQLAlchemy works out every statement
anew: most of what the daemon does while nothing happens. Here an engine is kept, and a connection for a second. The
files are the same: whoever opens the home without this reads and writes them too. Named in `dagster.yaml`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from dagster._config.config_schema import UserConfigSchema
from dagster._core.instance import DagsterInstance
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine

from talk_pipeline.dagster.event_log import KEPT_SECONDS, SETTINGS, is_made


class _Kept:
    """A storage in one file, whose engine is kept; it begins with the home that it becomes part of."""

    place: Path
    """Of its file within a home: where Dagster's own of that home would lie."""
    _conn_string: str
    _engine: Engine | None = None

    def __init__(self, conn_string: str = "", inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(conn_string, inst_data)  # type: ignore[call-arg]

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """What may be said of it."""
        return SETTINGS

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Any:
        """As Dagster makes it from its settings."""
        return cls.from_local(inst_data=inst_data, **config_value) if config_value else cls("", inst_data)  # type: ignore[attr-defined]

    def register_instance(self, instance: DagsterInstance) -> None:
        """Settings that named the folder could not be moved with the home."""
        if not self._conn_string:
            file = Path(instance.root_directory) / self.place
            self._conn_string = create_db_conn_string(str(file.parent), file.stem)
            if not is_made(self._kept(), file):
                type(self).from_local(str(file.parent)).dispose()  # type: ignore[attr-defined]
        super().register_instance(instance)  # type: ignore[misc]

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A transaction."""
        with self._kept().begin() as connection:
            yield connection

    def _kept(self) -> Engine:
        """The engine of the file."""
        if self._engine is None:
            self._engine = create_engine(
                self._conn_string,
                max_overflow=-1,
                pool_recycle=KEPT_SECONDS,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
        return self._engine

    def dispose(self) -> None:
        """Closes what is open."""
        super().dispose()  # type: ignore[misc]
        if self._engine is not None:
            self._engine.dispose()


class RunStorage(_Kept, SqliteRunStorage):
    """The runs of a home."""

    place = Path("history", "runs.db")


class ScheduleStorage(_Kept, SqliteScheduleStorage):
    """What the sensors and schedules of a home did, and when."""

    place = Path("schedules", "schedules.db")

    def __init__(self, conn_string: str = "", inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(conn_string, inst_data)
        self._made = set[str]()

    def has_instigators_table(self) -> bool:
        """Whether there is one."""
        return self._once("instigators", super().has_instigators_table)

    def _has_instigators_table(self, conn: Connection) -> bool:
        return self._once("instigators", partial(super()._has_instigators_table, conn))

    def has_built_index(self, migration_name: str) -> bool:
        """Whether a table is filled from an older one."""
        return self._once(migration_name, partial(super().has_built_index, migration_name))

    def _once(self, what: str, is_made: Callable[[], bool]) -> bool:
        """Once something is made it stays so, and each tick asks for each of them several times."""
        if what not in self._made and is_made():
            self._made.add(what)
        return what in self._made
