"""The audit of an installation: its files, its state and both systems are read, and each flow is judged."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml
from pydantic import SecretStr

from talk_pipeline.audit import NotAuditableError, UnreachableError
from talk_pipeline.audit.judge import Auditor, Judged, paths_of
from talk_pipeline.audit.reader import Entity, Row
from talk_pipeline.audit.wire import Connection, Words
from talk_pipeline.settings import Settings

_PACKAGE = Path(__file__).parent.parent
_TABLES = {
    name: "*" for name in ("link", "status", "change", "refusal", "candidate", "base", "watermark", "journal")
}
_TABLES |= {"snapshot": "flow, side, id, modified_at", "record": "part, id, raw"}
_MODIFIED = "lastModifiedDateTime"


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
    flows = {
        flow["flow"]: flow
        for flow in map(_read, sorted((settings.talk_flows_dir or _PACKAGE / "flows").glob("*.yaml")))
    }
    if unknown := set(names) - set(flows):
        raise NotAuditableError(f"no flow {', '.join(sorted(unknown))}; there are: {', '.join(flows)}")
    described = _read(settings.customwebshop_connector or _PACKAGE / "systems/customwebshop/reference.yaml")
    db = _state_of(settings)  # before the systems: what is newer there is an edit that no run has seen
    url = (settings.customwebshop_url or "").rstrip("/").removesuffix(described.get("base_path", ""))
    shop = Connection(url, described, lambda name: settings.secret(name).get_secret_value())
    bc, company, currency = _central(settings)
    found = []
    for flow in (flow for name, flow in flows.items() if not names or name in names):
        children = flow["children"] = _children(flow, described)
        one = Entity(shop, described, flow["customwebshop"]["entity"])
        rows = one.rows(_paths(flow), {child["customwebshop"]: _paths(child) for child in children.values()})
        there = flow["businesscentral"]
        others = _rows_of(
            bc, f"{company}/{there['entity']}", [_MODIFIED, *_fields(flow, there)], children, there
        )
        posted = set[str]()
        if ended := there.get("closed_by"):
            invoices = _rows_of(bc, f"{company}/{ended['entity']}", [ended["record"]])
            posted = {invoice.values[ended["record"]] or "" for invoice in invoices}
        auditor = Auditor(flow, one, (currency, ZoneInfo(settings.businesscentral_time_zone)), db)
        found.append(auditor.judge({row.id: row for row in rows}, {row.id: row for row in others}, posted))
    return found


def _children(flow: Words, described: Words) -> Words:
    """The child collections that the shop has, with what the settings say of which children they are."""
    constants = flow.get("settings", {}).get("constants", {})
    there = described["entities"][flow["customwebshop"]["entity"]].get("children", {})
    counted = [name for prop in flow["properties"] for name in prop.get("when_all", {}).get("equal", [])]
    found = {}
    for name, child in flow.get("children", {}).items():
        if child.get("optional") != "true" or child["customwebshop"] in there:
            scope = child.get("scope", {}).items()
            scope = {path: constants.get(word[1:-1], "") if word[0] == "{" else word for path, word in scope}
            found[name] = {**child, "scope": scope, "read": [*_fields(child, child), *counted]}
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

    auth = {"type": "bearer", "token": "token"}
    if not settings.businesscentral_token:
        auth = {"type": "oauth2", "token_url": secret("token_url"), "scope": secret("scope")}
        auth |= {name: name for name in ("client_id", "client_secret")}
    bc = Connection((settings.businesscentral_url or "").rstrip("/"), {"auth": auth}, secret)
    wanted = settings.businesscentral_company_id or settings.businesscentral_company
    known = (one for one in _rows_of(bc, "/companies", ["name"]) if wanted in (one.id, one.values["name"]))
    company = next((f"/companies({one.id})" for one in known), None)
    if company is None:
        raise NotAuditableError(f"Business Central has no company {wanted}")
    told = (
        one.values["currencyCode"] for one in _rows_of(bc, f"{company}/companyInformation", ["currencyCode"])
    )
    return bc, company, (settings.businesscentral_currency or next(told, None) or "").upper()


def _rows_of(
    bc: Connection,
    path: str,
    names: list[str],
    children: Words = MappingProxyType({}),
    scoped: Words = MappingProxyType({}),
) -> Iterator[Row]:
    """The records of an entity set in scope: these properties of each, and of its lines."""
    lines = {name: {"path": one["businesscentral"], "scope": one["scope"]} for name, one in children.items()}
    places = ",".join(sorted({one["path"] for one in lines.values()}))
    entity = {
        "path": path,
        "records": "value",
        "paging": {"style": "next_url", "next": "['@odata.nextLink']"},
        "modified": _MODIFIED,
        "texts": "odata",
        "query": {"$select": ",".join(["id", *names])} | ({"$expand": places} if places else {}),
        "scope": scoped.get("scope", {}),
        "children": lines,
    }
    lists = {name: one["read"] for name, one in children.items()}
    return Entity(bc, {"entities": {"": entity}}, "").rows(names, lists)


def _paths(part: Words) -> list[str]:
    told = [path for prop in part["properties"] for path in (*paths_of(prop), prop.get("in_currency"))]
    return [path for path in dict.fromkeys(told) if path]


def _fields(part: Words, scoped: Words) -> list[str]:
    told = [prop["bc"] for prop in part["properties"] if "bc" in prop]
    return list(dict.fromkeys([*told, *scoped.get("scope", {})]))
