"""Mistakes that only the shop can tell: `check-config` asks it, and names the line of the description."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.sandbox.customwebshop import profiles
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline.systems.errors import SystemFault, UnreachableFault
from talk_pipeline_tests.world import World, opened_world

pytestmark = pytest.mark.xdist_group("live")  # the same sandboxes for all

HOSTILE = Path(profiles.__file__).parent


@dataclass(frozen=True)
class Mistake:
    """One text replaced by another.

    Attributes:
        at: text of the line where the mistake is reported.
        says: what the message holds, the key among it.
        level: how grave it is.
    """

    old: str
    new: str
    at: str
    says: tuple[str, ...]
    level: str = "FAIL"


REFERENCE_MISTAKES = (
    Mistake("path: /customers", "path: /clients", "/clients", ("entities.customers.path", "404", "/clients")),
    Mistake(
        "records: data #",
        "records: rows #",
        "records: rows",
        ("records: customers: ", "no list at 'rows'", "data"),
    ),
    Mistake(
        "modified: updated_at",
        "modified: changed_at",
        "changed_at",
        ("no record has 'changed_at'", "updated_at"),
    ),
    Mistake(
        "modified: updated_at", "modified: number", "modified: number", ("is no time of format rfc3339",)
    ),
    Mistake("base_path:", "times: epoch\nbase_path:", "modified:", ("is no time of format epoch",)),
    Mistake(
        "modified: updated_at",
        "modified: deleted_at",
        "modified: deleted_at",
        ("modified: customers: deleted_at is blank in a record", "name a second place"),
    ),
    Mistake(
        "parameter: updated_since}",
        "parameter: since}",
        "parameter: since",
        ("updated_since: customers: ", "400", "no parameter since"),
    ),
    Mistake(
        "at: header:ETag", "at: header:X-Version", "X-Version", ("version.at", "comes without X-Version")
    ),
    Mistake("condition: If-Match", "condition: If-Same", "If-Same", ("If-Same is ignored",)),
    Mistake('path: "{path}/count"', 'path: "{path}/counted"', "counted", ("latest", "404")),
    Mistake(
        "next: next_cursor",
        "next: next",
        "next: next",
        ("paging", "the list goes on, since it has next_cursor", "no next:"),
    ),
    Mistake(
        "    path: /orders\n",
        '    path: /orders\n    item: "{path}/{id}/all"\n',
        "/all",
        ("entities.orders.item",),
    ),
    Mistake(
        "    path: /orders\n",
        "    path: /orders\n    id: key\n",
        "id: key",
        ("orders.id", "no record has 'key'"),
    ),
    Mistake(
        "fields: {active: {type: bool}}",
        "fields: {active: {type: bool}, number: customer_no}",
        "customer_no",
        ("customers.fields.number", "no record has 'customer_no'", '"number"'),
    ),
    Mistake(
        "fields: {active: {type: bool}}",
        "fields: {active: {type: bool}, website: web}",
        "web}",
        ("customers.fields.website", "no record has 'web'"),
        "note",
    ),
    Mistake(
        "fields: {active: {type: bool}}",
        "fields: {active: {type: bool}, website: web, phone: tel}",
        "web,",
        ("customers.fields: ", "lacks: [phone, website]", '"company_name"'),
        "note",
    ),
    Mistake(
        "fields: {active: {type: bool}}",
        "fields: {}",
        "fields: {}",
        ("customers.fields.active", "say type: bool"),
    ),
    Mistake(
        "{active: {type: bool}, price_includes",
        "{price: {type: minor}, active: {type: bool}, price_includes",
        "minor",
        ("products.fields.price", "which is no whole number of minor units"),
    ),
    Mistake(
        "lines: {path: lines,",
        "lines: {path: rows,",
        "path: rows",
        ("children.lines", "nothing at 'rows'"),
    ),
    Mistake(
        "lines: {path: lines,",
        "lines: {id: nr, path: lines,",
        "id: nr",
        ("children.lines.id", "no record has 'nr'"),
    ),
)

OTHER_MISTAKES = (
    (
        "bare",
        Mistake(
            'url: "{item}/rows"', 'url: "{item}/lines"', "      lines:", ("orders.children.lines", "404")
        ),
    ),
    (
        "bare",
        Mistake(
            'url: "{item}/rows"',
            'url: "{item}"\n        records: billing',
            "      lines:",
            ("orders.children.lines", "no list at 'billing'"),
        ),
    ),
    (
        "bare",
        Mistake(
            "size_parameter: count", "parameter: skip, size_parameter: count", "skip", ("every page alike",)
        ),
    ),
    ("cents", Mistake("size: 250", "size: 500", "paging", ("400", "page_size"))),
    (
        "cents",
        Mistake(
            "stale_code: revision_conflict", 'stale_code: "1409"', "version:", ("revision_conflict",), "note"
        ),
    ),
    (
        "enveloped",
        Mistake("    element: customer\n", "", "  customers:", ("customers.id", "no record has 'id'")),
    ),
    (
        "bare",
        Mistake(
            "summaries: true\n",
            "",
            "path: /clients",
            ("customers.path", "the list does not show", "contacts[kind=email].value", "say summaries: true"),
        ),
    ),
    (
        "enveloped",
        Mistake("    record: customer\n", "", "  customers:", ("customers.record", "no record with 'id'")),
    ),
)


@pytest.fixture(scope="module")
def worlds(
    tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance
) -> Iterator[dict[str, World]]:
    """The environment of a seeded sandbox a profile, opened when it is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        opened: dict[str, Any] = {}
        for name in ("reference", "bare", "cents", "enveloped"):
            opened[name] = opened_world(
                tmp_path_factory.mktemp(name), empty=False, instance=instance, profile=name
            )
        entered = {name: manager.__enter__() for name, manager in opened.items()}
        patch.undo()
        yield entered
        for manager in reversed(opened.values()):
            manager.__exit__(None, None, None)


def checked(
    world: World,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, str, Path]:
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    monkeypatch.setenv("TALK_DATA_DIR", str(tmp_path / "data"))
    status = check_configuration()
    return status, capsys.readouterr().out, file


def prove(mistake: Mistake, good: str, found: tuple[int, str, Path], text: str) -> None:
    status, told, file = found
    line = next((one for one in told.splitlines() if all(word in one for word in mistake.says)), None)
    assert line is not None, told
    number = next(at for at, one in enumerate(text.splitlines(), 1) if mistake.at in one)
    assert line.strip().startswith(f"{mistake.level} {file}:{number}: "), line
    assert status == (2 if "FAIL" in told else 0)
    assert mistake.old in good


@pytest.mark.parametrize("mistake", REFERENCE_MISTAKES, ids=lambda mistake: mistake.new.strip()[:40])
def test_the_shop_tells_what_is_wrong(
    worlds: dict[str, World],
    mistake: Mistake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = worlds["reference"]
    short = "next" in mistake.new
    world.shop.control("limits", {"page_size": 25 if short else 500})
    good = REFERENCE.read_text(encoding="utf-8").replace("size: 500", "size: 25" if short else "size: 500")
    text = good.replace(mistake.old, mistake.new, 1)
    prove(mistake, good, checked(world, text, tmp_path, monkeypatch, capsys), text)


@pytest.mark.parametrize(
    ("profile", "mistake"), OTHER_MISTAKES, ids=lambda one: getattr(one, "new", one)[:40]
)
def test_other_shops_tell_it_too(
    worlds: dict[str, World],
    profile: str,
    mistake: Mistake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = (HOSTILE / f"{profile}.yaml").read_text(encoding="utf-8")
    text = good.replace(mistake.old, mistake.new, 1)
    world = worlds[profile]
    if "skip" in mistake.new:
        world.shop.control("limits", {"page_size": 10})
    prove(mistake, good, checked(world, text, tmp_path, monkeypatch, capsys), text)


@pytest.mark.parametrize("what", ["    writes: none\n", ""], ids=["only read", "written"])
def test_of_what_is_only_read_no_type_is_asked(
    worlds: dict[str, World],
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """How it would have to be written is nobody's business; it is read the same."""
    text = REFERENCE.read_text(encoding="utf-8")
    for name, typed in (("products", "active"), ("orders", "prices_include_tax")):
        text = text.replace(f"  {name}:\n", f"  {name}:\n{what}").replace(f"{typed}: {{type: bool}}", typed)
    text = text.replace("{active, price_includes", "{price_includes").replace("{prices_include_tax}", "{}")
    status, told, _ = checked(worlds["reference"], text, tmp_path, monkeypatch, capsys)
    asked = [name for name in ("products.fields.active", "orders.fields.prices_include_tax") if name in told]
    assert len(asked) == (0 if what else 2), told
    assert ("say type: bool" in told, status) == (not what, 0 if what else 2)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CUSTOMWEBSHOP_URL", "http://127.0.0.1:9", "CUSTOMWEBSHOP_URL"),
        ("CUSTOMWEBSHOP_TOKEN", "wrong", "CUSTOMWEBSHOP_TOKEN"),
    ],
)
def test_what_lies_in_the_settings_names_the_variable(
    worlds: dict[str, World],
    variable: str,
    value: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = worlds["reference"]
    changed = {**world.environment, variable: value}
    monkeypatch.setattr(world, "environment", changed)
    with pytest.raises(SystemFault, match=says):
        checked(world, REFERENCE.read_text(encoding="utf-8"), tmp_path, monkeypatch, capsys)


def test_a_shop_that_answers_no_more_is_no_mistake_of_the_description(
    worlds: dict[str, World],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = worlds["reference"]
    world.shop.faults({"match": {"path": "/api/v1/products"}, "fault": {"drop": "before"}, "times": None})
    try:
        with pytest.raises(UnreachableFault, match="CUSTOMWEBSHOP_URL"):
            checked(world, REFERENCE.read_text(encoding="utf-8"), tmp_path, monkeypatch, capsys)
    finally:
        world.shop.faults()
