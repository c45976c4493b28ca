"""The component in a Dagster project that has assets, a resource, and an IO manager of its own."""

import importlib
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from talk_pipeline.dagster.asset_keys import sync_key
from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.jobs import EVERYTHING
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

# of Dagster, about itself
pytestmark = [
    pytest.mark.filterwarnings(f"ignore::dagster.{kind}") for kind in ("BetaWarning", "PreviewWarning")
]

ROOT = Path(__file__).parent.parent.parent
PROJECT = """
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "a_project"
"""
OWN = '''
"""Something that the project does besides."""
import dagster as dg
import pandas as pd

STORED: list[str] = []


class Own(dg.IOManager):
    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        STORED.append(context.asset_key.to_user_string())

    def load_input(self, context: dg.InputContext) -> object:
        raise AssertionError("nothing of this project is read")


@dg.asset(ins={"customers": dg.AssetIn(["customwebshop", "customer"])})
def how_many(customers: pd.DataFrame) -> int:
    return len(customers)


@dg.asset
def unrelated() -> int:
    raise AssertionError("nobody asked for this one")


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(
        assets=[how_many, unrelated], resources={"io_manager": Own()}, executor=dg.multiprocess_executor
    )
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with one YAML file for the synchronization, and one Python file for something else."""
    folder = tmp_path / "project"
    defs = folder / "a_project" / "defs"
    (defs / "talk").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    for package in (folder / "a_project", defs):
        (package / "__init__.py").touch()
    (defs / "own.py").write_text(OWN)
    (defs / "talk" / "defs.yaml").write_text("type: talk_pipeline.components.TalkPipeline\n")
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "a_project"]:
        del sys.modules[name]
    shutil.rmtree(folder)


def loaded(project: Path) -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=project)


def test_one_file_adds_all_of_it(project: Path, world: World) -> None:
    defs = loaded(project)
    dg.Definitions.validate_loadable(defs)
    ours = build_defs(flows_in())
    keys = {spec.key for spec in ours.resolve_all_asset_specs()}
    assert {spec.key for spec in defs.resolve_all_asset_specs()} - keys == {
        dg.AssetKey("how_many"),
        dg.AssetKey("unrelated"),
    }
    for what in (
        lambda of: of.resolve_asset_graph().asset_check_keys,
        lambda of: {job.name for job in of.resolve_all_job_defs()} - {"__ASSET_JOB"},
        lambda of: {sensor.name for sensor in of.sensors},
        lambda of: {schedule.name for schedule in of.schedules},
    ):
        assert what(defs) == what(ours)


@pytest.mark.slow
def test_it_synchronizes_and_touches_nothing_else(
    project: Path, world: World, instance: dg.DagsterInstance
) -> None:
    world.shop.post("customers", customer())
    defs = loaded(project)
    done = defs.resolve_job_def(EVERYTHING).execute_in_process(instance=instance)
    assert done.success
    assert len(world.bc.all("customers")) == 1
    assert {sync_key(flow) for flow in flows_in().values()} <= {
        event.asset_key for event in done.get_asset_materialization_events()
    }
    own = importlib.import_module("a_project.defs.own")
    assert own.STORED == []

    done = defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey("how_many")]
    )
    assert done.output_for_node("how_many") == 1
    assert own.STORED == ["how_many"], "by the project's own IO manager"
    assert isinstance(defs.load_asset_value(["links", "customer"], instance=instance), pd.DataFrame)


def test_it_can_do_without_the_audit(project: Path, world: World) -> None:
    file = project / "a_project" / "defs" / "talk" / "defs.yaml"
    file.write_text(file.read_text() + "attributes:\n  audit: false\n")
    names = {key.name for key in loaded(project).resolve_asset_graph().asset_check_keys}
    assert names
    assert "audited" not in names
    file.write_text(file.read_text().replace("audit:", "audits:"))
    with pytest.raises(Exception, match=r"defs\.yaml \(TalkPipeline\) \(error\)"):
        loaded(project)


def test_dg_finds_the_component_and_this_project() -> None:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (module,) = said["project"]["entry-points"]["dagster_dg_cli.registry_modules"].values()
    project = said["tool"]["dg"]["project"]
    assert project["registry_modules"] == [module]
    assert issubclass(importlib.import_module(module).TalkPipeline, dg.Component)
    target = importlib.import_module(project["code_location_target_module"])
    assert isinstance(target.defs, dg.Definitions)
