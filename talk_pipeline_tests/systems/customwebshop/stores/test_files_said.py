"""What `check-config` says of a folder of files, and what is refused before one is read."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline import redaction
from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.audit import audit
from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.stores.opening import opened
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import FileShop, filled, leading_to
from talk_pipeline_tests.world import World

PRODUCTS = "    path: out/products_*.csv"
FORMAT = 'format: {type: csv, delimiter: ";"}'
OPERATION = "operation: action"


@pytest.fixture
def shop(tmp_path: Path) -> FileShop:
    return filled(FileShop(tmp_path / "exchange"))


def test_check_config_names_what_is_not_there(
    world: World,
    shop: FileShop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    leading_to(shop, str(shop.folder), tmp_path, monkeypatch)
    assert check_configuration() == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "out/products_*.csv: 3 records" in said
    assert str(shop.folder) in said
    shop.described(
        tmp_path,
        **{
            "website: www": "website: web",
            "path: out/products_": "path: exports/products_",
            '"in/{entity}': '"to/{entity}',
        },
    )
    assert check_configuration() == 2
    said = capsys.readouterr().out
    assert "no record has 'web'" in said
    assert "CUSTOMWEBSHOP_FILES: there is no exports in" in said
    assert "CUSTOMWEBSHOP_FILES: there is no to in" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            PRODUCTS,
            f"{PRODUCTS}\n    search: {{sku: 'sku={{value}}'}}",
            "search is about requests and answers, which files have",
        ),
        (
            PRODUCTS,
            f"{PRODUCTS}\n    stamps: {{updated_at: now}}",
            "stamps is for a database: say `database` too",
        ),
        (PRODUCTS, f"{PRODUCTS}\n    update: {{method: PUT}}", "of files it can say none alone"),
        (
            PRODUCTS,
            f"{PRODUCTS}\n    columns: [id]",
            "columns is for CSV without a header|is for CSV without a header",
        ),
        (PRODUCTS, "    path: out/*/products.csv", "is no pattern below the folder"),
        (PRODUCTS, "    path: ../products.csv", "is no pattern below the folder"),
        (FORMAT, "format: {type: csv, header: false}", "files without a header do not name their columns"),
        (FORMAT, "format: {type: xml}", "where a document has its records"),
        (FORMAT, "format: {type: csv, open_end: true}", "a file that breaks off would look whole"),
        (FORMAT, "format: {type: csv, encoding: utf8x}", "'utf8x' is no encoding"),
        (FORMAT, f"{FORMAT}\n  count: rows", "is the last line of a file, with {count} in it"),
        (FORMAT, f"{FORMAT}\n  done: done", "has one {} where the name of the file stands"),
        (FORMAT, f"{FORMAT}\n  password: SFTP_PASSWORD", "whose password or key it is"),
        ("in/{entity}-{key}.csv", "in/{entity}.csv", "names {key}, and may name"),
        ("in/{entity}-{key}.csv", "in/{entity}{key}.csv", "{key} is a word of its own"),
        ("in/{entity}-{key}.csv", "in/{key}/{entity}.csv", "{key} is in the name of the file"),
        ("        parent: order_id", "        parent: ~", "the column in which a line names its record"),
        ("name: Files\n", "name: Files\ndatabase: {url: SHOP_DB}\n", "a shop has one door"),
        ("  at: CUSTOMWEBSHOP_FILES", "  at: /srv/exchange", "is the name of an environment variable"),
    ],
)
def test_what_does_not_go_with_files_is_refused_by_name(
    shop: FileShop, tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = shop.described(tmp_path, **{old: new})
    with pytest.raises(FlowError, match=said):
        load_description(file, flows=load_flows())


def test_files_of_an_api_are_refused_by_name(shop: FileShop, tmp_path: Path) -> None:
    file = shop.described(tmp_path)
    text = file.read_text(encoding="utf-8")
    start, end = text.index("files:"), text.index("\nmodified:")
    file.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(FlowError) as told:
        load_description(file, flows=load_flows())
    assert "take is for files: say `files` too" in str(told.value)
    assert "file is for files: say `files` too" in str(told.value)


def test_what_cannot_be_told_as_a_deletion_is_none(shop: FileShop, tmp_path: Path) -> None:
    said = load_description(shop.described(tmp_path, **{OPERATION: "# " + OPERATION}), flows=load_flows())
    assert all(entity.update and not entity.delete for entity in said.collections.values())


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("ftp://host/out", "SHOP_FILES is no folder; write a path, or sftp://"),
        ("sftp://entrant77:hunter2hunter2@host/out", "SHOP_FILES holds a user or a password before the host"),
        ("sftp://host/out", "SHOP_FILES is reached by SFTP: say files"),
    ],
)
def test_a_place_that_is_none_is_named_by_its_variable(
    shop: FileShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, said: str
) -> None:
    monkeypatch.setattr(
        redaction, "_known", {}
    )  # others have logged in as `user`, and the word is masked since
    flows = load_flows()
    file = shop.described(tmp_path, **{"at: CUSTOMWEBSHOP_FILES": "at: SHOP_FILES"})
    with pytest.raises(ConfigurationFault, match=said) as told:
        opened(load_description(file, flows=flows), flows, secret=SecretStr, plain=lambda _: where)
    assert "hunter2" not in str(told.value)


def test_the_audit_says_that_it_reads_apis_alone(
    world: World, shop: FileShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading_to(shop, str(shop.folder), tmp_path, monkeypatch)
    with pytest.raises(NotAuditableError, match="door is its files"):
        audit(Settings.load())
