"""No secret reaches anything that is kept or shown, whatever a server repeats of it."""

import base64
import csv
import html
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import dagster as dg
import pytest

from talk_pipeline import redaction
from talk_pipeline.dagster.execute import execute
from talk_pipeline.engine.report.plan_file import write_plan
from talk_pipeline.installation import Connections
from talk_pipeline.redaction import MASK, holds_entry, learn, learn_token, redact_logs, redacted, scrub
from talk_pipeline.run.session import Options
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.http import credentials
from talk_pipeline_tests.pipeline.records import customer, product
from talk_pipeline_tests.world import World

AWKWARD = 'c4nary/"quoted"+&<ünï>\\end'
ENCODED = {
    "as it is": AWKWARD,
    "JSON": json.dumps(AWKWARD),
    "JSON with every character": json.dumps(AWKWARD, ensure_ascii=False),
    "JSON in JSON": json.dumps(json.dumps(AWKWARD)),
    "JSON as .NET writes it": json.dumps(AWKWARD).replace("+", "\\u002B").replace("<", "\\u003C"),
    "address": quote(AWKWARD, safe=""),
    "address with slashes": quote(AWKWARD),
    "form": quote_plus(AWKWARD),
    "HTML": html.escape(AWKWARD),
    "Python": repr(AWKWARD),
    "Python's bytes": repr(AWKWARD.encode()),
    "address in an address": quote(quote(AWKWARD, safe=""), safe=""),
    "thrice": quote(quote(quote(AWKWARD))),
    "base64": base64.b64encode(AWKWARD.encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(AWKWARD.encode()).decode(),
    "base64 without padding": base64.b64encode(AWKWARD.encode()).decode().rstrip("="),
    "base64 in JSON": json.dumps(base64.b64encode(AWKWARD.encode()).decode()).replace("/", "\\/"),
    "base64 in an address": quote(base64.b64encode(AWKWARD.encode()).decode(), safe=""),
    "hexadecimal": AWKWARD.encode().hex(),
    "hexadecimal in capitals": AWKWARD.encode().hex().upper(),
}


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """What one test taught is unknown to the next."""
    before = dict(redaction._known)
    redaction._known.clear()
    yield
    redaction._known.clear()
    redaction._known.update(before)


@pytest.mark.parametrize("text", ENCODED.values(), ids=ENCODED)
def test_a_secret_is_known_in_every_encoding(text: str) -> None:
    learn(AWKWARD)
    without = redacted(f"you sent {text} here")
    assert MASK in without
    assert "c4nary" not in without
    assert without.startswith("you sent ")
    assert without.endswith(" here")


@pytest.mark.parametrize("user", ["", "a:", "ab:", "abc:", "abcd:"])
@pytest.mark.parametrize("rest", ["", "\n", "}}", "&c="])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("secret", [AWKWARD, "canary-token-1", "canary-token-12", "canary-token-123"])
def test_a_secret_within_something_that_is_encoded_is_known(
    user: str, rest: str, encode: Callable[[bytes], bytes], secret: str
) -> None:
    """As servers repeat the header of basic authentication: nothing that is left can be decoded to a part of it."""
    learn(secret)
    sent = encode(f"{user}{secret}{rest}".encode()).decode()
    without = redacted(f"you sent {sent} here")
    assert without.startswith("you sent ")
    assert without.endswith(" here")
    left, _, after = without.removeprefix("you sent ").removesuffix(" here").partition(MASK)
    assert len(left) <= len(user) * 8 / 6
    assert len(after) <= (len(rest) + 2) * 8 / 6


def test_short_secrets_are_masked_as_words_only() -> None:
    learn("shop1", "ab")
    assert redacted("shop1: myshop12, ab") == f"{MASK}: myshop12, ab"


def test_exceptions_and_logs_lose_secrets_too(caplog: pytest.LogCaptureFixture) -> None:
    learn("canary-token-1")
    error = ConfigurationFault("it said canary-token-1")
    error.__cause__ = ValueError("Illegal header value b'Bearer canary-token-1'")
    scrub(error)
    assert "canary" not in f"{error} {error.__cause__}"
    redact_logs()
    with caplog.at_level(logging.INFO):
        logging.getLogger("httpx").info("GET %s", "https://shop.example/?key=canary-token-1")
        broken = RuntimeError("canary-token-1")
        logging.getLogger("talk_pipeline").error("it broke", exc_info=broken)
    assert "it broke" in caplog.text
    assert "canary" not in caplog.text


ILLEGAL = {
    "a line break": ("canary-1\ncanary-2", "line break"),
    "a carriage return": ("canary-1\r", "line break"),
    "a null character": ("can\0ary-1", "null character"),
    "another script": ("canäry-token", "LATIN SMALL LETTER A WITH DIAERESIS"),
    "an invisible character": ("canary\u200b-token", "ZERO WIDTH SPACE"),
    "a blank": ("canary-token ", "blank"),
}


@pytest.mark.parametrize(("token", "why"), ILLEGAL.values(), ids=ILLEGAL)
@pytest.mark.parametrize("name", ["CUSTOMWEBSHOP_TOKEN", "BUSINESSCENTRAL_TOKEN"])
def test_a_token_no_header_can_carry_is_refused_by_name(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, token: str, why: str
) -> None:
    if "\0" in token:
        monkeypatch.setattr(Settings, "_others", staticmethod(lambda: {**os.environ, name: token}))
        if name == "BUSINESSCENTRAL_TOKEN":
            pytest.skip("the environment holds none")
    else:
        monkeypatch.setenv(name, token)
    connections = Connections(Settings.load())
    opened = connections.shop if name == "CUSTOMWEBSHOP_TOKEN" else connections.businesscentral
    with pytest.raises(ConfigurationFault) as caught:
        opened()
    assert name in str(caught.value)
    assert why in str(caught.value)
    assert "can" not in str(caught.value).replace("cannot", "")


PASSWORDS = [
    "https://user:canary@shop.example",
    "https://user:can/ary@shop.example/api",
    "https://user:can?ary@shop.example",
    "https://:canary@shop.example",
    "user:canary@shop.example",
    "https://canary@shop.example",
]


@pytest.mark.parametrize("url", PASSWORDS)
@pytest.mark.parametrize("name", ["CUSTOMWEBSHOP_URL", "BUSINESSCENTRAL_URL", "BUSINESSCENTRAL_TOKEN_URL"])
def test_a_password_in_an_address_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, url)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    told = str(caught.value)
    assert name in told
    assert "take them out" in told
    assert "ary" not in told
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["https://shop.example/@us", "https://shop.example:8080/a@b", "http://h/?a=b@c"]
)
def test_an_address_may_have_an_at_sign_elsewhere(url: str) -> None:
    assert not holds_entry(url)


def _everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file, file.read_bytes()


@pytest.mark.slow
def test_a_server_that_repeats_what_it_was_sent_leaves_no_trace_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every error of both systems repeats the credentials; every artefact is searched for them."""
    world.shop.post("customers", customer("C1"))
    item = world.shop.post("products", product("P1"))
    home = tmp_path / "home"
    home.mkdir()
    seen: list[str] = []
    _watch_tokens(monkeypatch, seen)
    body = {"error": {"code": "Application_DialogException", "message": "you sent {authorization} to us"}}
    plain = "<html>you sent {authorization}, says the proxy</html>"
    refused = {"status": 400, "echo": True, "body": body, "content_type": "application/json"}
    with dg.DagsterInstance.local_temp(str(home)) as instance:

        def run() -> dict[str, Any]:
            connections = Connections(Settings.load())
            names = tuple(connections.flows)
            done = execute(connections.flows, names, options=Options(), instance=instance)
            return {"problems": [str(event) for event in done.all_events]}

        world.bc.faults({"match": {"method": "POST", "path": "*/customers"}, "fault": refused, "times": None})
        shown = [run()]
        world.bc.no_faults()
        page = {"status": 503, "echo": True, "body": plain, "content_type": "text/html"}
        world.bc.faults({"match": {"method": "POST", "path": "*/items"}, "fault": page, "times": None})
        world.shop.patch("products", item["id"], {"name": "Another"})
        shown.append(run())
        world.shop.faults(
            {"match": {"method": "GET"}, "fault": {**refused, "status": 418, "body": plain}, "times": None}
        )
        shown.append(run())
        world.bc.no_faults()
        world.shop.no_faults()
        told = world.sql("select reason from refusal")
        assert told, "the refusal is kept"
        assert any(MASK in str(reason) for (reason,) in told)
        assert "you sent Bearer ***" in json.dumps(shown)
    for form in ("json", "rst", "html", "text"):
        _command("checklist", "--format", form, "--out", str(tmp_path / f"checklist.{form}"))
    _command("sync", "--dry-run", "--plan", str(tmp_path / "plan.csv"))
    _dump(world, tmp_path / "tables.json")
    out, err = capfd.readouterr()
    (tmp_path / "shown.txt").write_text(json.dumps(shown) + out + err)
    secrets = {
        *seen,
        world.environment["CUSTOMWEBSHOP_TOKEN"],
        world.environment["BUSINESSCENTRAL_CLIENT_SECRET"],
    }
    assert len(secrets) > 2, "tokens were issued"
    for secret in secrets:
        for file, content in _everything(tmp_path):
            assert secret.encode() not in content, file


def _watch_tokens(monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    """Notes the tokens that are issued."""

    def noted(token: str, *, of: str) -> None:
        seen.append(token)
        learn_token(token, of=of)

    monkeypatch.setattr(credentials, "learn_token", noted)


def _dump(world: World, file: Path) -> None:
    """Every table as text: the database keeps it compressed."""
    tables = [row[0] for row in world.sql("select table_name from duckdb_tables()")]
    file.write_text("\n".join(str(world.sql(f'from "{table}"')) for table in tables))


def _command(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "talk_pipeline", *arguments], capture_output=True, text=True, check=False
    )
    print(done.stdout, done.stderr)
    assert "Traceback" not in done.stderr


def test_an_answer_that_is_a_record_loses_only_what_can_be_but_ours() -> None:
    learn("pass1", "canary-that-is-long-enough")
    body = b'{"note": "pass1", "debug": "canary-that-is-long-enough"}'
    assert redaction.redacted_body(body, is_error=False) == b'{"note": "pass1", "debug": "***"}'
    assert redaction.redacted_body(body, is_error=True) == b'{"note": "***", "debug": "***"}'


def test_faults_are_made_without_secrets() -> None:
    learn("canary-token-1")
    assert "canary" not in str(UnavailableFault("it answers canary-token-1"))


FORMULAS = {
    "=HYPERLINK(1)": "'=HYPERLINK(1)",
    "+4512345678": "'+4512345678",
    "@SUM(A1)": "'@SUM(A1)",
    "-1+cmd|x": "'-1+cmd|x",
    "'quoted": "''quoted",
    "-5": "-5",
    "-5.25": "-5.25",
    "plain = text": "plain = text",
    "A;=1+1;": "A;'=1+1;",
    'A;"=1,1"': """A;"'=1,1\"""",
    "A;\t-1;'": "A;'\t'-1;''",
}


def test_a_plan_in_csv_holds_no_formula_and_loses_no_value(world: World, tmp_path: Path) -> None:
    with Connections(Settings.load()).state.once() as db:
        for value in FORMULAS:
            db.execute(
                "insert into change by name select 'customer' as flow, 'customer' as part, 'name' as property,"
                " 'businesscentral' as target, 'update' as operation, ? as shop_id, ? as after",
                [value, value],
            )
        for name in ("plan.csv", "plan.json"):
            write_plan(db, ["customer"], file=tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "plan.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["after"] for row in rows} == set(FORMULAS.values())
    assert {re.sub(r"""(^|[;\t\r\n]"*)'""", r"\1", row["after"]) for row in rows} == set(FORMULAS)
    for delimiter in ",;\t":
        written = (tmp_path / "plan.csv").read_text(encoding="utf-8").splitlines()
        cells = [cell for row in csv.reader(written, delimiter=delimiter) for cell in row]
        assert [one for one in cells if one[:1] in tuple("=+@-\t") and one not in ("-5", "-5.25")] == []
    assert {row["after"] for row in json.loads((tmp_path / "plan.json").read_text())} == set(FORMULAS)
