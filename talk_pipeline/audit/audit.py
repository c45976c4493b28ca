"""The audit of an installation: its files, its state and both systems are read, and each flow is judged."""

import re
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml
from pydantic import SecretStr

from talk_pipeline.audit import NotAuditableError, UnreachableError
from talk_pipeline.audit.compare import Auditor, Judged
from talk_pipeline.audit.reader import AT, Shop, central
from talk_pipeline.audit.wire import Connection, Words
from talk_pipeline.settings import Settings

_PACKAGE = Path(__file__).parent.parent
_TABLES = {
    name: "*" for name in ("link", "status", "change", "refusal", "candidate", "base", "watermark", "journal")
}
_TABLES |= {"snapshot": "flow, side, id, modified_at", "record": "part, id, raw"}


KEYS = set(
    re.findall(
        r"\w+",
        "shop name dir bc type only required values reads blank blank_keeps country in_currency usable_while"
        " recreates send_with written conflict keep when_all when_closed composed_of",
    )
)


class _Words(yaml.SafeLoader):
    """Every value is the word it is: nothing is taken for a boolean, a number or a day."""

    yaml_implicit_resolvers = {"<": [("tag:yaml.org,2002:merge", re.compile("^<<$"))]}


def audit(settings: Settings, names: tuple[str, ...] = ()) -> list[Judged]:
    """Judges the named flows, all by default.

    Raises:
        NotAuditableError: something is set up in a way that the audit does not know.
        UnreachableError: a system, or the state, cannot be read.
    """
    settings.require_systems(())
    files = sorted((settings.talk_flows_dir or _PACKAGE / "flows").glob("*.yaml"))
    flows = {flow["flow"]: flow for flow in map(_read, files)}
    if unknown := set(names) - set(flows):
        raise NotAuditableError(f"no flow {', '.join(sorted(unknown))}; there are: {', '.join(flows)}")
    parts = [part for flow in flows.values() for part in (flow, *flow.get("children", {}).values())]
    if unknown := {key for part in parts for prop in part["properties"] for key in set(prop) - KEYS}:
        raise NotAuditableError(
            f"the audit does not know of properties what {', '.join(sorted(unknown))} means"
        )
    described = _read(
        settings.customwebshop_connector or _PACKAGE / "systems" / "customwebshop" / "reference.yaml"
    )
    db = _state_of(settings)  # before the systems: what is newer there is an edit that no run has seen
    url = (settings.customwebshop_url or "").rstrip("/").removesuffix(described.get("base_path", ""))
    shop = Connection(url, described, lambda name: settings.secret(name).get_secret_value())
    bc, company, currency = _central(settings)
    meaning = currency, ZoneInfo(settings.businesscentral_time_zone)
    found = []
    for flow in (flow for name, flow in flows.items() if not names or name in names):
        children = flow["children"] = _children(flow, described)
        there, lists = flow["businesscentral"], children.values()
        one = Shop(shop, described, flow["customwebshop"]["entity"])
        rows = one.rows(_paths(flow), {child["customwebshop"]: _paths(child) for child in lists})
        counted = [name for prop in flow["properties"] for name in prop.get("when_all", {}).get("equal", [])]
        select = {
            name: (child["businesscentral"], [*_fields(child, child), *counted])
            for name, child in children.items()
        }
        scopes = {"": there.get("scope", {})}
        scopes |= {name: child.get("scope", {}) for name, child in children.items()}
        others = central(bc, f"{company}/{there['entity']}", [AT, *_fields(flow, there)], select, scopes)
        ended, posted = there.get("closed_by"), set[str]()
        if ended:
            invoices = central(bc, f"{company}/{ended['entity']}", [ended["record"]], {}, {})
            posted = {invoice.values[ended["record"]] or "" for invoice in invoices}
        auditor = Auditor(flow, one, meaning, db)
        found.append(auditor.judge({row.id: row for row in rows}, {row.id: row for row in others}, posted))
    return found


def _children(flow: Words, described: Words) -> Words:
    """The child collections that the shop has, with what the settings say of which children they are."""
    constants = flow.get("settings", {}).get("constants", {})
    there = described["entities"][flow["customwebshop"]["entity"]].get("children", {})
    found = {}
    for name, child in flow.get("children", {}).items():
        if child.get("optional") != "true" or child["customwebshop"] in there:
            scope = {
                path: constants.get(word[1:-1], "") if word.startswith("{") else word
                for path, word in child.get("scope", {}).items()
            }
            found[name] = {**child, "scope": scope}
    return found


def _read(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _Words)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise NotAuditableError(f"{file} cannot be read: {error}") from None


def _state_of(settings: Settings) -> duckdb.DuckDBPyConnection:
    """What is on record, copied at once: no run waits for an audit."""
    file, db = settings.talk_data_dir / "talk.duckdb", duckdb.connect()
    if not file.exists():
        raise NotAuditableError(
            f"no run is recorded in {settings.talk_data_dir}; run talk-pipeline sync first"
        )
    deadline, path = time.monotonic() + settings.talk_wait_seconds, str(file).replace("'", "''")
    while True:
        try:
            db.execute(f"attach '{path}' as state (read_only)")
            break
        except duckdb.Error as error:
            if "lock" not in str(error) or time.monotonic() > deadline:
                raise UnreachableError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None
            time.sleep(0.1)
    for table, columns in _TABLES.items():
        db.execute(f"create table {table} as select {columns} from state.{table}")
    db.execute("detach state")
    return db


def _central(settings: Settings) -> tuple[Connection, str, str]:
    """Business Central, the path of the company, and its currency."""

    def secret(name: str) -> str:
        value = getattr(settings, f"businesscentral_{name}")
        return str(value.get_secret_value() if isinstance(value, SecretStr) else value)

    auth = {name: name for name in ("client_id", "client_secret")}
    auth |= {"type": "oauth2", "token_url": secret("token_url"), "scope": secret("scope")}
    auth = {"type": "bearer", "token": "token"} if settings.businesscentral_token else auth
    bc = Connection((settings.businesscentral_url or "").rstrip("/"), {"auth": auth}, secret)
    wanted = settings.businesscentral_company_id or settings.businesscentral_company
    known = central(bc, "/companies", ["name"], {}, {})
    path = next((f"/companies({one.id})" for one in known if wanted in (one.id, one.values["name"])), None)
    if path is None:
        raise NotAuditableError(f"Business Central has no company {wanted}")
    told = central(bc, f"{path}/companyInformation", ["currencyCode"], {}, {})
    own = settings.businesscentral_currency or next((one.values["currencyCode"] for one in told), None)
    return bc, path, (own or "").upper()


def _paths(part: Any) -> list[str]:
    told = [path.strip() for prop in part["properties"] for path in prop.get("shop", "").split("|")]
    told += [prop.get("in_currency", "") for prop in part["properties"]]
    return [path for path in dict.fromkeys(told) if path]


def _fields(part: Any, scoped: Any) -> list[str]:
    told = [prop["bc"] for prop in part["properties"] if "bc" in prop]
    return list(dict.fromkeys([*told, *scoped.get("scope", {})]))
