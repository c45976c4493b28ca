"""Mistakes in a description or a flow: found by file, line and key, with what was found and what is allowed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline_tests.flow_files import copied_flows


@dataclass(frozen=True)
class Mistake:
    """One text replaced by another.

    Attributes:
        at: text of the line where the mistake is reported.
        says: what the message holds, the key among it.
    """

    old: str
    new: str
    at: str
    says: tuple[str, ...]


DESCRIPTION = (
    Mistake("records: data # where", "recrods: data # where", "recrods", ("recrods: unknown key", "records")),
    Mistake("{style: cursor", "{style: scroll", "style: scroll", ("paging", "scroll", "'cursor', 'page'")),
    Mistake("next: next_cursor, ", "", "paging:", ("paging.cursor.next: is required",)),
    Mistake("size: 500", "size: many", "size: many", ("paging.cursor.size", "valid integer", "'many'")),
    Mistake("size: 500", "size: 0", "size: 0", ("paging.cursor.size", "greater than or equal to 1")),
    Mistake("next: next_cursor", 'next: "a[b"', "a[b", ("paging.cursor.next", "is no path")),
    Mistake(
        "{type: bearer,", "{type: password,", "type: password", ("auth", "'password'", "'bearer', 'basic'")
    ),
    Mistake(
        "token: CUSTOMWEBSHOP_TOKEN",
        "token: s3cr3t-t0ken",
        "auth:",
        ("auth.bearer.token", "name of an environment variable"),
    ),
    Mistake("path: /products", "path: products", "path: products", ("products.path", "write /products")),
    Mistake("base_path: /", "base_path: ", "base_path", ("base_path: ", "would run into")),
    Mistake("modified: updated_at\n", "", "  customers:", ("updated_since needs modified",)),
    Mistake("{at: header:ETag,", "{", "version:", ("version.at: is required",)),
    Mistake("If-Match}", "If-Match, stale: [gone]}", "stale", ("version.stale.0", "valid integer", "'gone'")),
    Mistake("base_path: /api/v1", "base_path: [api]", "base_path", ("base_path", "valid string")),
    Mistake("in_flight: 8}", "in_flight: 0}", "limits", ("limits.in_flight", "greater than or equal to 1")),
    Mistake(
        "base_path:", "time_zone: Mars/Base\nbase_path:", "Mars", ("time_zone", "Europe/Copenhagen", "Mars")
    ),
    Mistake(
        "base_path:", "times: sometimes\nbase_path:", "sometimes", ("times", "rfc3339, epoch", "sometimes")
    ),
    Mistake(
        "records: data\n  body", "recods: data\n  body", "recods", ("webhooks.recods: unknown key", "records")
    ),
    Mistake(
        "order.deleted: orders", "order.deleted: order", "order.deleted", ("no entity 'order'", "orders")
    ),
    Mistake("prefix: sha256=}", "encoding: hexa}", "signature", ("signature.encoding", "'hex' or 'base64'")),
    Mistake(
        "  orders:\n    path", "  order:\n    path", "entities", ("flow order asks for 'orders'", "order")
    ),
    Mistake("path: /customers\n", "", "  customers:", ("entities.customers.path: is required",)),
    Mistake(
        "fields: {active: {type: bool}}",
        "fields: {aktive: {type: bool}}",
        "aktive",
        ("no flow reads 'aktive'", "active"),
    ),
    Mistake(
        "{active: {type: bool}}", "{active: {type: boolean}}", "boolean", ("active.type", "'bool'", "boolean")
    ),
    Mistake("{active: {type: bool}}", "{active: {tpye: bool}}", "tpye", ("no flow reads 'active.tpye'",)),
    Mistake(
        "{active: {type: bool}}",
        "{active: {type: bool, format: x}}",
        "active",
        ("format is for type time or date",),
    ),
    Mistake("{active: {type: bool}}", "{active: {path: a, join: [b]}}", "active", ("leave path out",)),
    Mistake("{active: {type: bool}}", "{active: {template: x}}", "active", ("template has one {}",)),
    Mistake("{active: {type: bool}}", "{number: ~}", "number", ("found again by it", "have create_key of")),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    update: [{of: [email]}]\n",
        "update: [",
        ("no call carries", "write: false"),
    ),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    update: {method: FETCH}\n",
        "FETCH",
        ("update.0.method", "'PATCH'", "FETCH"),
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    item: "{path}/{key}"\n',
        "{key}",
        ("customers.item", "may name {path}, {id} only"),
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    search: {name: "q={value}"}\n',
        "search",
        ("no flow reads 'name'", "number"),
    ),
    Mistake("lines: {path: lines,", "lines: {", "lines", ("says path, url or both",)),
    Mistake("untouched: id}", "untouched: omitted}", "untouched", ("keeps what is left out", "say remove")),
    Mistake("lines: {path: lines,", "lines: {path: lines, write: rows,", "lines", ("leave path out",)),
    Mistake(
        "updated_since: {parameter: updated_since}",
        "updated_since: {parameter: updated_since, value: now}",
        "updated_since",
        ("updated_since.value", "says {since}"),
    ),
    Mistake(
        "{active: {type: bool}}",
        '{active: {type: bool, decimal: ","}}',
        "active",
        ("number told as text", "leave type out"),
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    create: {constants: {owner: "{id}"}}\n',
        "owner",
        ("create.0.constants", "there is no {id} yet"),
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    update: {otherwise: {path: "{itme}"}}\n',
        "{itme}",
        ("update.0.otherwise.path", "may name {path}, {item}, {id}, {record:place}, {version}, {key} only"),
    ),
    Mistake(
        "    path: /cust", "    unwritten: [nick]\n    path: /cust", "nick", ("unwritten.0", "no flow reads")
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    paging: {style: offset, value: "{from}"}\n',
        "{from}",
        ("paging", "says {offset}"),
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    parts: {billing: "{itme}/billing"}\n',
        "{itme}",
        ("parts.billing", "may name {path}, {item}, {id}, {record:place} only"),
    ),
    Mistake("{active: {type: bool}}", "{active: {type: bool, factor: 2}}", "active", ("a number by itself",)),
    Mistake("lines: {path: lines, ", "rows: {path: rows, ", "rows", ("no flow reads 'rows'", "lines")),
    Mistake(
        "untouched: id}", "untouched: same}", "untouched", ("lines.untouched", "'whole', 'id' or 'omitted'")
    ),
    Mistake("entities: # a", "entities: [", "  customers:", ("not YAML",)),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    update: {path: "{item.x}"}\n',
        "{item.x}",
        ("update.0.path", "'{item.x}' may name {path}, {item}, {id}, {record:place}, {version}, {key} only"),
    ),
    Mistake(
        "lines: {path: lines,",
        'lines: {path: lines, before: {path: "{item}/drafts"},',
        "before",
        ("lines.before", "lists behind a path of their own: say url"),
    ),
    Mistake(
        'path: "{path}/count"',
        'path: "{item}/count"',
        "  customers:",
        ("latest.path", "may name {path} only"),
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    search: {number: "q={key}"}\n',
        "search",
        ("search.number", "where the {value} stands"),
    ),
    Mistake("base_path:", "name: twice\nbase_path:", "name: twice", ("name: is there already, in line 3",)),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    path: /clients\n",
        "path: /clients",
        ("path: is there already, in line 41",),
    ),
    Mistake(
        "auth: {type: bearer, token: CUSTOMWEBSHOP_TOKEN}",
        "auth: s3cr3t",
        "auth:",
        ("auth: keys belong", "a text"),
    ),
    Mistake(
        "limits: {", "headers: s3cr3t\nlimits: {", "headers", ("headers: keys belong here; found a text",)
    ),
    Mistake("base_path:", "times: '%Q'\nbase_path:", "%Q", ("times", "'%Q'")),
    Mistake("base_path:", "time_zone: Europe\nbase_path:", "Europe", ("time_zone", "no such time zone")),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    lacks: [web_site]\n",
        "lacks",
        ("customers.lacks.0", "no flow reads 'web_site'", "website"),
    ),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    lacks: [active]\n",
        "lacks",
        ("customers.lacks.0", "'active' is told under fields"),
    ),
    Mistake(
        "    path: /orders\n",
        "    path: /orders\n    lacks: [status]\n",
        "fields: {prices",
        ("orders.fields.status: must be there", "settings.create_scope", "const"),
    ),
    Mistake(
        "fields: {active: {type: bool}}",
        "fields: {active: {type: bool}, address: home}",
        "address: home",
        ("customers.fields.address", "'address' is a group", "~"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        'lines: {url: "/lines?order={order}"}',
        "{order}",
        ("children.lines.url", "may name {path}, {item}, {id}, {record:place} only"),
    ),
)

FLOWS = (
    (
        "customer",
        Mistake(
            "dir: <->, bc: email", "dir: <>, bc: email", "dir: <>", ("properties.4.dir", "'<->'", "'<>'")
        ),
    ),
    ("customer", Mistake("type: email(80)", "type: mail(80)", "mail(80)", ("properties.4", "mail", "email"))),
    (
        "customer",
        Mistake("conflict: last_writer #", "conflict: newest #", "newest", ("settings.conflict", "manual")),
    ),
    (
        "customer",
        Mistake("create_key: number", "create_key: nummer", "nummer", ("create_key", "'nummer'", "number")),
    ),
    (
        "customer",
        Mistake("\nmatch: [number,", "\nmatch: [nr,", "match: [nr", ("nothing is called 'nr'", "number")),
    ),
    (
        "customer",
        Mistake("type: registration(20),", "type: registration(20), send_with: [zip],", "zip", ("'zip'",)),
    ),
    (
        "customer",
        Mistake("initial: fill", "initail: fill", "initail", ("settings.initail: unknown key", "initial")),
    ),
    (
        "customer",
        Mistake("  create: always", "  scope: {size: [big]}\n  create: always", "size", ("'size'", "number")),
    ),
    (
        "customer",
        Mistake(
            "disappearance: flag #", "disappearance: shred #", "shred", ("settings.disappearance", "'unlink'")
        ),
    ),
    (
        "product",
        Mistake("shop: price, ", "shop: cost, ", "shop: cost", ("a second property is called 'cost'",)),
    ),
    (
        "order",
        Mistake(
            "flags:\n",
            "guard: {bc: status, open_while: [Draft], reason: no, withholds: [buyer]}\nflags:\n",
            "withholds",
            ("'buyer'", "customer_id"),
        ),
    ),
    (
        "order",
        Mistake("reference(customer)", "reference(client)", "order.yaml", ("flow 'client'", "customer")),
    ),
)


def located(text: str, mistake: Mistake) -> int:
    """The line the mistake is to be reported at."""
    lines = text.splitlines()
    return next(at for at, line in enumerate(lines, 1) if mistake.at in line)


@pytest.mark.parametrize("mistake", DESCRIPTION, ids=lambda mistake: mistake.new.strip()[:40])
def test_a_mistake_in_a_description_is_located(mistake: Mistake, tmp_path: Path) -> None:
    is_located(mistake, tmp_path)


def is_located(mistake: Mistake, tmp_path: Path) -> None:
    """The reference description with it is refused, by the line and the words that help."""
    good = REFERENCE.read_text(encoding="utf-8")
    assert mistake.old in good
    text = good.replace(mistake.old, mistake.new, 1)
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FlowError) as raised:
        load_description(file, flows=load_flows())
    message = str(raised.value)
    line = next((one for one in message.splitlines() if all(word in one for word in mistake.says)), None)
    assert line is not None, message
    assert line.startswith(f"{file}:{located(text, mistake)}: "), line
    assert "s3cr3t" not in message, "a secret is never shown"


@pytest.mark.parametrize(("flow", "mistake"), FLOWS, ids=lambda one: getattr(one, "new", one)[:40])
def test_a_mistake_in_a_flow_is_located(flow: str, mistake: Mistake, tmp_path: Path) -> None:
    folder = copied_flows(tmp_path, **{flow: (mistake.old, mistake.new)})
    file = folder / f"{flow}.yaml"
    text = file.read_text(encoding="utf-8")
    with pytest.raises(FlowError) as raised:
        load_flows(folder)
    message = str(raised.value)
    line = next((one for one in message.splitlines() if all(word in one for word in mistake.says)), None)
    assert line is not None, message
    assert line.startswith(str(file)), line
    if mistake.at != file.name:
        assert f":{located(text, mistake)}: " in line
