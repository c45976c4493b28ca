"""The audit of an installation: its files, its state and both systems are read, and each flow is judged."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import yaml
from pydantic import SecretStr

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.judge import Auditor, Judged
from talk_pipeline.audit.reader import Entity, Row, of_odata
from talk_pipeline.audit.recorded import recorded
from talk_pipeline.audit.wire import Connection, Words, text
from talk_pipeline.settings import Settings

_PACKAGE = Path(__file__).parent.parent
_CENTRAL = {
    "records": "value",
    "paging": {"style": "next_url", "next": "['@odata.nextLink']"},
    "broken_off": "error",
    "modified": "lastModifiedDateTime",
    "texts": "odata",
}
_OTHER_DOORS = {"database", "files"}


class _Words(yaml.SafeLoader):
    """Every value is the word it is: nothing is taken for a boolean, a number or a day."""

    yaml_implicit_resolvers = {"<": [("tag:yaml.org,2002:merge", re.compile("^<<$"))]}


class _Meant(_Words):
    """What is sent as it stands there: true, null and numbers as JSON writes them."""


for _kind, _pattern in (("bool", "true|false"), ("null", "null"), ("int", "-?(0|[1-9][0-9]*)")):
    _Meant.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"^({_pattern})$"), list("tfn-0123456789")
    )
_Meant.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?(0|[1-9][0-9]*)\.[0-9]+$"), list("-0123456789")
)


def audit(settings: Settings, names: tuple[str, ...] = ()) -> list[Judged]:
    """Judges the named flows, all by default.

    Raises:
        NotAuditableError: something is set up in a way that the audit does not know.
        UnreachableError: a system, or the state, cannot be read.
    """
    files = sorted((settings.talk_flows_dir or _PACKAGE / "flows").glob("*.yaml"))
    flows = _flows(list(map(_read, files)))
    every = flows
    if settings.company and settings.company.flows:
        flows = {name: flow for name, flow in flows.items() if name in settings.company.flows}
    if unknown := set(names) - set(flows):
        raise NotAuditableError(f"no flow {', '.join(sorted(unknown))}; there are: {', '.join(flows)}")
    described = _read(settings.customwebshop_connector or _PACKAGE / "systems/customwebshop/reference.yaml")
    for door in _OTHER_DOORS & set(described):
        raise NotAuditableError(
            f"the shop's door is its {door}, which the audit cannot read: it reads APIs alone"
        )
    settings.require_systems(())
    db = recorded(settings)  # before the systems: what is newer there is an edit that no run has seen
    url = (settings.customwebshop_url or "").rstrip("/").removesuffix(described.get("base_path", ""))
    shop = Connection(url, described, lambda name: settings.secret(name).get_secret_value())
    bc, company, currency = _central(settings)
    found = []
    for flow in (flow for name, flow in flows.items() if not names or name in names):
        entity = Entity(shop, {**described, **described["entities"][flow["customwebshop"]["entity"]]})
        flow = {**flow, "children": dict(_children(flow, entity, every))}  # of the others all are known
        there, ended = flow["businesscentral"], flow["businesscentral"].get("closed_by")
        ours = {row.id: row for row in entity.rows()}
        path, said = _set(settings, company, there["entity"])
        said = _as_read(said, flow)
        others = _rows(bc, path, said, there.get("scope"), flow["children"])
        posted = _rows(bc, *_set(settings, company, ended["entity"])) if ended else ()
        auditor = Auditor(flow, entity, (currency, ZoneInfo(settings.businesscentral_time_zone)), db)
        closed = {invoice.says(ended["record"]) for invoice in posted}
        found.append(auditor.judge(ours, {row.id: row for row in others}, closed))
    return found


def _flows(said: list[Any]) -> dict[str, Any]:
    """The flows by name, each with what other files add to it."""
    flows = {one["flow"]: one for one in said if "flow" in one}
    for more in (one for one in said if "adds_to" in one):
        flow = flows[more["adds_to"]]
        flow["properties"] += more.get("properties", [])
        for name, child in more.get("children", {}).items():
            there = flow.setdefault("children", {}).setdefault(name, {**child, "properties": []})
            there["properties"] += child["properties"]
        constants = flow.setdefault("settings", {}).setdefault("constants", {})
        constants.update(more.get("constants", {}))
    return flows


def _children(flow: Words, shop: Entity, flows: Words) -> Iterator[tuple[str, Words]]:
    """The child collections that the shop has, with what the settings say of which children they are."""
    for name, child in flow.get("children", {}).items():
        if child.get("optional") != "true" or child["customwebshop"] in shop.parts:
            other, _, theirs = child.get("leaves_as", ".").partition(".")
            closer = _closer(flow, name) + (_closer(flows[other], theirs) if other else [])
            yield name, {**child, "scope": _scope(flow, child), "closer": closer}


def _closer(flow: Words, name: str) -> list[Words]:
    """What a further word tells apart, which is not of those who do not ask for it."""
    own = flow["children"][name]
    beside = flow["children"].values()
    scopes = [_scope(flow, one) for one in beside if one["businesscentral"] == own["businesscentral"]]
    return [one for one in scopes if _scope(flow, own).items() < one.items()]


def _scope(flow: Words, child: Words) -> Words:
    constants = flow.get("settings", {}).get("constants", {})
    return {
        path: constants.get(word[1:-1], "") if word.startswith("{") else word
        for path, word in child.get("scope", {}).items()
    }


def _read(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
        return _with_bodies(yaml.load(text, _Words), yaml.load(text, _Meant))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise NotAuditableError(f"{file} cannot be read: {error}") from None


def _with_bodies(words: Any, meant: Any) -> Any:
    """Words, but for what is sent as it stands there."""
    if not isinstance(words, dict):
        return words
    told = zip(words.items(), meant.values(), strict=True)
    return {key: there if key == "body" else _with_bodies(one, there) for (key, one), there in told}


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
    known = (one.id for one in _rows(bc, "/companies") if wanted in (one.id, one.says("name")))
    if (own := next(known, None)) is None:
        raise NotAuditableError(f"Business Central has no company {wanted}")
    told = (one.says("currencyCode") for one in _rows(bc, f"/companies({own})/companyInformation"))
    return bc, f"/companies({own})", (settings.businesscentral_currency or next(told, None) or "").upper()


def _set(settings: Settings, company: str, name: str) -> tuple[str, Words]:
    """Where an entity set is, and what its description says: the user's own, or the packaged one."""
    folders = settings.businesscentral_entities_dir, _PACKAGE / "systems/businesscentral/described"
    files = [folder / f"{name}.yaml" for folder in folders if folder]
    said = _read(next((file for file in files if file.exists()), files[-1]))
    base = (settings.businesscentral_url or "").rstrip("/").rpartition("/")[0]
    root = f"{base}/{said['api']}" if said.get("api", "v2.0") != "v2.0" else ""
    return f"{root}{company}/{said.get('set', name)}", said


def _rows(
    bc: Connection,
    path: str,
    described: Words | None = None,
    scope: Words | None = None,
    children: Words | None = None,
) -> Iterator[Row]:
    """The records of an entity set in scope, with their lines, of which one place may have several kinds."""
    told = described or {}
    if "grouped_by" in told:
        yield from _sums(bc, path, told)
        return
    lines = told.get("children", {})
    places = {name: one["businesscentral"] for name, one in (children or {}).items()}
    below = {
        name: {
            **(children or {})[name],
            **_of_beside(lines[place]),
            "path": place,
            "id": lines[place].get("key", "id"),
        }
        for name, place in places.items()
    }
    said = {**_CENTRAL, "path": path, "scope": scope or {}, "children": below, "id": told.get("key", "id")}
    expand = dict.fromkeys(_ways(told), "")
    expand |= {place: ",".join(_ways(lines[place])) for place in places.values()}
    shown = [f"{one}($expand={more})" if more else one for one, more in sorted(expand.items())]
    said |= {"query": {"$expand": ",".join(shown)} if shown else {}, **_of_beside(told)}
    said["modified"] = told.get("modified", _CENTRAL["modified"])
    yield from Entity(bc, said, lambda row: _called(row, told)).rows()


def _called(row: Words, described: Words) -> Words:
    """A record that says as well what its key is, where that is made of several properties; so do its lines."""
    below = described.get("children", {}).items()
    lines = {place: [_called(one, of) for one in row[place]] for place, of in below if place in row}
    words = ((text(row[name]) or "", described["properties"][name]) for name in described.get("keys", ()))
    told = (of_odata(word) if kind.startswith("enum") else word for word, kind in words)
    parts = (word.replace("%", "%25").replace(",", "%2C") for word in told)
    key = {described.get("key", "id"): ",".join(parts)} if "keys" in described else {}
    return {**row, **lines, **key}


def _sums(bc: Connection, path: str, told: Words) -> Iterator[Row]:
    """Records that are made of the rows of a set: sums, and what all rows of a record say alike."""
    added, shared = told.get("sums", []), told["grouped_by"]
    alike = [name for name in told["properties"] if name not in (told.get("key", "id"), *added, *shared)]
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in bc.pages(path, _CENTRAL, {}):
        sums = found.setdefault(tuple(row[name] for name in shared), {name: row[name] for name in alike})
        for name in added:
            sums[name] = sums.get(name, Decimal(0)) + Decimal(row[name])
    entity = Entity(bc, {**_CENTRAL, "path": path})
    for values, sums in found.items():
        key = ",".join(quote(value, safe="") for value in values)
        said = dict(zip(told["grouped_by"], values, strict=True)) | {one: str(n) for one, n in sums.items()}
        yield Row(entity, key, {**said, told.get("key", "id"): key})


def _as_read(described: Words, flow: Words) -> Words:
    """A description without what is beside records and the flow does not read."""
    parts = flow["properties"], *(child["properties"] for child in flow["children"].values())
    named = {prop.get("bc", "").partition(".")[0] for part in parts for prop in part}
    beside = {name: one for name, one in described.get("beside", {}).items() if name in named}
    below = described.get("children", {}).items()
    lines = {
        place: {**one, "beside": {n: b for n, b in one.get("beside", {}).items() if n in named}}
        for place, one in below
    }
    return {**described, "beside": beside, "children": lines}


def _ways(described: Words) -> list[str]:
    """What shows the records that others name."""
    return sorted({str(one.get("way", name)) for name, one in described.get("beside", {}).items()})


def _of_beside(described: Words) -> Words:
    """Where such a record says what flows read of it."""
    places = {}
    for name, one in described.get("beside", {}).items():
        told = "".join(f"[{there}={word}]" for there, word in one.get("where", {}).items())
        for said in one["properties"]:
            places[f"{name}.{said}"] = {"path": f"{one.get('way', name)}{told}.{said}"}
    return {"fields": places}
