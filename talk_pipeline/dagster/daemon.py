"""Dagster's daemon, whose code server stays until what it has loaded is edited. Started as a program.

As shipped, the daemon starts a new code server every minute, so that an edit of the code is taken up; to import
Dagster and the pipeline each time is most of what it costs idle, and to have all assets and checks described by it
each time is a third of the rest. Here it is asked each minute whether anything was edited. Everything else, options
included, is `dagster-daemon`'s.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from dagster._api.list_repositories import sync_list_repositories_grpc
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError
from dagster._core.remote_origin import CodeLocationOrigin
from dagster._core.remote_representation.code_location import GrpcServerCodeLocation
from dagster._core.remote_representation.grpc_server_registry import (
    ErrorRegistryEntry,
    GrpcServerRegistry,
    ServerRegistryEntry,
)
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.workspace import CodeLocationEntry
from dagster._daemon import cli, controller
from dagster._grpc import client

import talk_pipeline
from talk_pipeline.dagster.company import each_company
from talk_pipeline.dagster.edited import as_they_are
from talk_pipeline.settings import Settings, SettingsError

KEPT_SECONDS = 3600.0
"""What is edited where nobody looks, such as another package, is taken up by then."""
HEARTBEAT_SECONDS = 5
"""A code server that hears nothing for twenty seconds ends; as shipped, it hears from the daemon each second."""
ALWAYS_WRITTEN = {"talk_data_dir", "talk_work_dir", "dagster_home"}


class KeptServers(GrpcServerRegistry):
    """Code servers that are left for new ones only if there is a reason to."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._loaded = sources()

    def clear_all_grpc_endpoints(self) -> None:
        """Has those started anew that have loaded what was edited since, that could not load, or are no more."""
        current = sources()
        edited, self._loaded = current != self._loaded, current
        with self._lock:
            for origin, entry in list(self._active_entries.items()):
                old = time.time() - entry.creation_timestamp > KEPT_SECONDS
                if edited or old or not _serves(entry):
                    del self._active_entries[origin]


class KeptWorkspace(WorkspaceProcessContext):
    """What code servers told of their definitions, asked for again once another server tells it."""

    def refresh_workspace(self) -> None:
        """Reads all anew, unless it was read from the servers that there are, as the workspace names them."""
        entries, origins = self.get_current_workspace().code_location_entries, self._origins
        named = {origin.location_name for origin in origins}
        if named != entries.keys() or not all(
            self._is_read(entries[origin.location_name], origin) for origin in origins
        ):
            super().refresh_workspace()

    def _is_read(self, entry: CodeLocationEntry, origin: CodeLocationOrigin) -> bool:
        """Whether a location was read to the end, from the server that is to tell of it now."""
        location, servers = entry.code_location, self._grpc_server_registry
        if not isinstance(location, GrpcServerCodeLocation) or not servers.supports_origin(origin):
            return False
        try:
            now = servers.get_grpc_endpoint(origin)
        except DagsterUserCodeProcessError:
            return False
        return entry.origin == origin and (location.port, location.socket) == (now.port, now.socket)


def _serves(entry: ServerRegistryEntry | ErrorRegistryEntry) -> bool:
    """Whether a code server is there and has loaded its code."""
    if isinstance(entry, ErrorRegistryEntry):
        return False
    try:
        sync_list_repositories_grpc(entry.process.create_client())  # type: ignore[no-untyped-call]
    except (DagsterUserCodeProcessError, DagsterUserCodeUnreachableError):
        return False
    return True


def sources() -> frozenset[tuple[Path, int, int]]:
    """The files that a code server reads when it starts, each as it is now."""
    return as_they_are(_files())


def _files() -> Iterator[Path]:
    yield Path(".env")
    for folder, folders, names in os.walk(Path(talk_pipeline.__file__).parent):
        folders[:] = (name for name in folders if name != "__pycache__")
        yield from (Path(folder, name) for name in names)
    for settings in _installed():
        for name, value in settings:
            if isinstance(value, Path) and name not in ALWAYS_WRITTEN:
                yield value
                yield from value.glob("*") if value.is_dir() else ()


def _installed() -> Iterator[Settings]:
    """The settings of all companies, as far as they can be read: what is wrong with others the sensors say."""
    with suppress(SettingsError):
        yield Settings.load()
        yield from (one for _, one in each_company() if isinstance(one, Settings))


if __name__ == "__main__":
    controller.GrpcServerRegistry = KeptServers  # type: ignore[attr-defined]
    controller.WorkspaceProcessContext = KeptWorkspace  # type: ignore[attr-defined]
    client.CLIENT_HEARTBEAT_INTERVAL = HEARTBEAT_SECONDS
    cli.main()
