"""The daemon's code servers: which stay, and which are left for new ones."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.remote_representation.code_location import CodeLocation
from dagster._core.remote_representation.grpc_server_registry import GrpcServerEndpoint
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._grpc.constants import GrpcServerCommand

from talk_pipeline.dagster import daemon
from talk_pipeline.dagster.daemon import KeptServers, KeptWorkspace, sources
from talk_pipeline_tests.automation import Automation
from talk_pipeline_tests.flow_files import flows_alone
from talk_pipeline_tests.world import World

RIGHT = "import dagster as dg; defs = dg.Definitions()"


class Location:
    """A code location of next to nothing, and the servers that the daemon has for it."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.file = folder / "next_to_nothing.py"
        self.file.write_text(RIGHT)
        self.servers = KeptServers(
            instance.get_ref(),
            GrpcServerCommand.API_GRPC,
            heartbeat_ttl=30,
            startup_timeout=120,
            wait_for_processes_on_shutdown=True,
        )

    def server(self) -> GrpcServerEndpoint:
        """The one that there is."""
        loaded = LoadableTargetOrigin(python_file=str(self.file))
        return self.servers.get_grpc_endpoint(ManagedGrpcPythonEnvCodeLocationOrigin(loaded, "nothing"))

    def server_after_a_minute(self) -> GrpcServerEndpoint:
        """The one that there is after the daemon has looked."""
        self.servers.clear_all_grpc_endpoints()
        return self.server()


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = flows_alone(tmp_path / "flows", "customer")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(folder))
    return folder


@pytest.fixture
def location(flows: Path, tmp_path: Path) -> Iterator[Location]:
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        opened = Location(tmp_path, instance)
        with opened.servers:
            yield opened


def test_a_server_stays_until_a_flow_file_is_edited(location: Location, flows: Path) -> None:
    first = location.server()
    assert location.server_after_a_minute() == first
    with (flows / "customer.yaml").open("a") as file:
        file.write("\n# edited\n")
    second = location.server_after_a_minute()
    assert second != first
    assert location.server_after_a_minute() == second


def test_one_that_is_dead_or_old_is_left_for_a_new_one(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = location.server()
    (process,) = location.servers._all_processes
    process.server_process.kill()
    process.server_process.wait()
    second = location.server_after_a_minute()
    assert second != first
    monkeypatch.setattr(daemon, "KEPT_SECONDS", 0.0)
    assert location.server_after_a_minute() != second


def test_one_that_could_not_load_is_tried_again(location: Location) -> None:
    """Nothing that is looked at was edited: what it missed was elsewhere."""
    location.file.write_text("raise OSError('not there yet')")
    first = location.server()
    location.file.write_text(RIGHT)
    second = location.server_after_a_minute()
    assert second != first
    assert location.server_after_a_minute() == second


def test_what_a_server_told_is_asked_for_again_once_there_is_another(location: Location, flows: Path) -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        KeptWorkspace(
            instance,
            PythonFileTarget(str(location.file), None, None, "nothing"),
            grpc_server_registry=location.servers,
        ) as workspace,
    ):

        def told() -> CodeLocation | None:
            location.servers.clear_all_grpc_endpoints()
            workspace.refresh_workspace()
            return workspace.get_current_workspace().code_location_entries["nothing"].code_location

        first = told()
        assert first
        assert told() is first
        with (flows / "customer.yaml").open("a") as file:
            file.write("\n# edited\n")
        second = told()
        assert second not in (first, None)
        assert told() is second


@pytest.mark.parametrize("name", ["CUSTOMWEBSHOP_CONNECTOR", "TALK_COMPANIES"])
def test_files_that_settings_name_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = tmp_path / "named.yaml"
    monkeypatch.setenv(name, str(file))
    before = sources()
    file.write_text("companies: {}")
    assert sources() - before


def test_settings_and_the_program_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sources()
    program = {file for file, _, _ in before}
    assert Path(daemon.__file__) in program
    assert not [file for file in program if file.suffix == ".pyc"]
    Path(".env").write_text("TALK_OWNERS=ops@example.com")
    assert {file for file, _, _ in sources() - before} == {Path(".env")}


@pytest.mark.slow
@pytest.mark.long
def test_the_daemon_keeps_its_server_and_takes_up_an_edit(world: World, flows: Path) -> None:
    automation = Automation(world)
    with automation.daemon() as process:
        automation.wait("the first sync", lambda: automation.arrived("www.c1.example"))
        automation.wait("quiet", automation.quiet)
        kept = _servers(process.pid)
        time.sleep(75)
        assert _servers(process.pid) == kept
        with (flows / "customer.yaml").open("a") as file:
            file.write("\n# edited\n")
        automation.wait("a new code server", lambda: _servers(process.pid) - kept)
    automation.instance.dispose()


def _servers(session: int) -> set[int]:
    """The code servers of a session."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(place.name)) == session and b"grpc" in (place / "cmdline").read_bytes():
                found.add(int(place.name))
        except OSError:
            continue  # it has just ended
    return found
