"""What a reader may rely on: imports point inward, the engine names no flow, files stay readable."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from talk_pipeline.engine.match import workspace as _of_match  # noqa: F401
from talk_pipeline.engine.plan import workspace as _of_plan  # noqa: F401
from talk_pipeline.engine.snapshot import workspace as _of_snapshot  # noqa: F401
from talk_pipeline.engine.state.workspace import Temp
from talk_pipeline.flows.loading import PACKAGED, load_flows

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "talk_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted(Path(__file__).parent.rglob("*.py"))
LONGEST_FILE = 350


def test_imports_point_inward() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import import_linter; import_linter()",
            "lint",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, " 0 broken." in done.stdout) == (0, True), done.stdout or done.stderr


def _flow_words() -> set[str]:
    """Names of flows and properties, but for those that are words of the engine's own."""
    words: set[str] = set()
    for flow in load_flows().values():
        words.add(flow.name)
        words |= {flow.customwebshop.entity, flow.businesscentral.entity, flow.businesscentral.asset}
        for part in flow.parts:
            words |= {prop.bc for prop in part.properties} | {prop.name for prop in part.properties}
    return {word for word in words if len(word) > 4} - {"number", "state", "status", "active", "amount"}


_OF_ITS_OWN = {
    "cli/document": "items",  # the open ones
    "systems/businesscentral": "currencyCode",  # the company's
}


@pytest.mark.parametrize("folder", ["engine", "run", "dagster", "systems/businesscentral", "cli/document"])
def test_no_flow_and_no_property_is_named_outside_the_declarations(folder: str) -> None:
    words = _flow_words() - {_OF_ITS_OWN.get(folder)}
    for file in (PACKAGE / folder).rglob("*.py"):
        tree = ast.parse(file.read_text())
        docs = {
            node.body[0].value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docs:
                text = node.value.replace("order by", "").replace("'", " ").replace(".", " ")
                named = words & set(text.split())
                assert not named, f"{file.relative_to(ROOT)}:{node.lineno} names {named}"


def test_no_code_knows_an_entity() -> None:
    """But for the sandbox, which is such a pair of systems; `items` is what a list of open ones is called."""
    flows = load_flows().values()
    names = {flow.name for flow in flows}
    for flow in flows:
        names |= {flow.customwebshop.entity, flow.businesscentral.entity, flow.businesscentral.asset}
    known = [
        f"{file.relative_to(PACKAGE)} names {node.value}"
        for file in MODULES
        if not file.is_relative_to(PACKAGE / "sandbox")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert known == ["cli/attention.py names items"]


def test_files_stay_readable() -> None:
    texts = {str(file.relative_to(ROOT)): file.read_text() for file in (*MODULES, *TESTS)}
    assert texts
    assert [file for file, text in texts.items() if len(text.splitlines()) > LONGEST_FILE] == []
    silent = [file for file, text in texts.items() if not ast.get_docstring(ast.parse(text))]
    assert silent == [], "a module says what lives in it"


_SQL = re.compile(
    r"\s*(select|insert into|update|delete from|create|with)\b.*\b(from|values|set|table|as)\b", re.S
)


@pytest.mark.parametrize("folder", ["cli", "dagster", "run", "systems", "webhooks", "flows"])
def test_sql_is_the_engines_alone(folder: str) -> None:
    """But for the audit, which asks the state itself: it may not ask the engine."""
    for file in (PACKAGE / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not _SQL.match(node.value), f"{file.relative_to(ROOT)}:{node.lineno} has SQL"


def test_a_temporary_table_is_handed_from_step_to_step() -> None:
    """Whoever reads one takes its type, or makes it: none is found by its name alone."""
    kinds = {kind.NAME: kind.__name__ for kind in Temp.__subclasses__()}
    assert len(kinds) > 10
    for file in (PACKAGE / "engine").rglob("*.py"):
        text = file.read_text()
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            assert "temp table" not in node.value or file.parent.name == "state", file
            for name in re.findall(r"\b(?:from|join|update|into) (\w+)\b", node.value):
                known = name not in kinds or re.search(rf"\b{kinds[name]}\b", text)
                assert known, f"{file.relative_to(ROOT)}:{node.lineno} reads {name} without {kinds[name]}"


def test_http_is_known_in_one_place() -> None:
    for file in MODULES:
        if file.parent == PACKAGE / "systems" / "http":
            continue
        assert "httpx" not in file.read_text(), file


def test_the_environment_is_read_in_one_place() -> None:
    for file in MODULES:
        if file == PACKAGE / "settings.py":
            continue
        assert "os.environ" not in file.read_text(), file
        assert "getenv" not in file.read_text(), file


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    code = (
        "import sys, talk_pipeline.cli.main, talk_pipeline.installation;"
        "print([name for name in ('dagster', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NOT_TO_LOOK = (
    "pandas",
    "httpx",
    "rich",  # with httpx
    "pyrate_limiter",
    "talk_pipeline.systems.customwebshop",  # what describes a shop, and speaks to it
    "requests",
    "phonenumbers",
    "jinja2",
    "sqlalchemy",
    "dagster._core.scheduler",
    "dagster._core.remote_representation",
)
"""What a process that only looks at the definitions does without: each costs it a tenth of Dagster's own import."""


def test_the_code_location_imports_nothing_heavy_that_only_a_run_needs() -> None:
    code = (
        f"import sys, talk_pipeline.definitions; print([one for one in {NOT_TO_LOOK} if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _sandbox_needs() -> set[str]:
    """What the packages of the extra `sandbox` are imported as."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = {re.split(r"[^\w-]", each)[0] for each in extras["sandbox"]}
    return {name for name, packages in packages_distributions().items() if wanted & set(packages)}


def test_the_pipeline_needs_nothing_that_only_the_sandbox_needs() -> None:
    needs = _sandbox_needs()
    assert needs
    for file in MODULES:
        if PACKAGE / "sandbox" in file.parents:
            continue
        imported: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
        assert not needs & imported, f"{file.relative_to(ROOT)} imports {needs & imported}"


def test_the_workspace_names_the_code_location() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace["load_from"][0]["python_module"]["module_name"] == "talk_pipeline.definitions"


def test_a_flow_is_one_file() -> None:
    assert {file.stem for file in PACKAGED.glob("*.yaml")} == set(load_flows())


@pytest.mark.xdist_group("together")
def test_the_tests_of_a_group_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """What is made once for a module is made once a process otherwise: synchronizations, sandboxes."""
    if not request.config.getoption("loadgroup", False):
        pytest.skip("the tests are not spread by group, as `make test` does")
    assert request.node.nodeid.endswith("@together")
