"""Mistakes in what is said of lists, and of the calls that write, each told by its line with a way out."""

from pathlib import Path

import pytest

from talk_pipeline_tests.systems.customwebshop.spec.test_mistakes import Mistake, is_located

MISTAKES = (
    Mistake(
        "fields: {prices_include_tax: {type: bool}}",
        'fields: {prices_include_tax: {type: bool}}\n    read_only: [total, "lines[0].line_total"]',
        "read_only",
        ("orders.read_only.1", "is of the entries of 'lines': say so under children.lines"),
    ),
    Mistake(
        "lines: {path: lines,",
        'lines: {url: "{item}/lines", abandon: {path: "{item}/undo"},',
        "abandon",
        ("lines.abandon", "`before` began: say that too"),
    ),
    Mistake(
        "lines: {path: lines,",
        'lines: {url: "{item}/lines", create: {path: "/drafts/{begun:id}"},',
        "{begun:id}",
        ("create.0.path", "may name {lines}, {line}, {item}, {id}, {version}, {key} only"),
    ),
    Mistake(
        "lines: {path: lines,",
        'lines: {url: "{item}/lines", before: {path: "{begun:id}"},',
        "{begun:id}",
        ("before.0.path", "may name {lines}, {item}, {id}, {version}, {key} only"),
    ),
    Mistake(
        "lines: {path: lines,",
        'lines: {url: "{item}/{row}",',
        "{row}",
        ("lines.url", "may name {path}, {item}"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {path: x.lines, paging: {style: page}}",
        "paging: {style: page}",
        ("lines.paging", "says total, more or pages: else each record would be asked for again"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {path: x.lines, paging: {style: next_url, next: x.next}}",
        "next_url",
        ("lines.paging.style", "by cursor, page or offset", "leave path out, and say url"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {path: lines, read: {body: {of: 1}}}",
        "read",
        ("lines.read", "is for a list at url alone: leave path out"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {path: edges, element: node}",
        "element",
        ("lines.element", "entries are read at node, and not written so", "say url, or write: false"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {url: /lines, create: [{of: [product_id]}, {}]}",
        "url: /lines",
        ("lines.create.0.id", "must be there: the next call is about the entry"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        'lines: {url: /lines, create: {query: {of: "{line}"}}}',
        "{line}",
        ("lines.create.0", "there is no {line} yet"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {url: /lines, delete: {when: {quantity: 0}}}",
        "when",
        ("lines.delete.0.when", "is for changes"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {url: /lines, update: {otherwise: {path: /other}}}",
        "otherwise",
        ("lines.update.0.otherwise", "is for calls that write a record"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {url: /lines, update: {of: [quantity]}, create: {of: [quantity]}}",
        "url: /lines",
        ("lines.update", "no call carries 'product_id': name it in `of` or `when`"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {url: /lines, create: [{of: [quantity], id: id}, {}]}",
        "of: [quantity]",
        (
            "lines.create.0.of",
            "the first of several calls must say 'product_id': an entry that was only begun is told from others "
            "by it (order.lines, match)",
        ),
    ),
    Mistake(
        'shipping: {single: true, fields: {amount: shipping_amount}, remove: {shipping_amount: "0.00"}}',
        "shipping: {url: /freight, create: [{id: id}, {of: [amount]}]}",
        "shipping: {",
        (
            "shipping.create",
            "is told from others by nothing: say match under children.shipping in a flow file of your own",
        ),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {url: /lines, update: [{}, {when: {amount: 5}}]}",
        "amount",
        ("lines.update.1.when.amount", "no flow reads 'amount'"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        'lines: {url: /lines, update: {headers: {x-draft: "{begun:id}"}}}',
        "{begun:id}",
        ("lines.update.0.headers.x-draft", "may name {lines}, {line}, {item}, {id}, {version}, {key} only"),
    ),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    update: [{}, {of: [email, address.*], at: address}]\n",
        "at: address",
        (
            "customers.update.1.at",
            "'email' does not lie in 'address': name in `of` what does, and give 'email' a call of its own",
        ),
    ),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    update: {at: address}\n",
        "at: address",
        ("customers.update.0.at", "'company_name' does not lie in 'address'"),
    ),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    create: [{}, {of: [phone, address.*], at: address}]\n",
        "at: address",
        ("customers.create.1.at", "'phone' does not lie in 'address'"),
    ),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    update: {along: [address.id], otherwise: {at: address}}\n",
        "at: address",
        ("customers.update.0.otherwise.at", "'company_name' does not lie in 'address'"),
    ),
    Mistake(
        "lines: {path: lines, untouched: id}",
        "lines: {url: /lines, update: {at: item}}",
        "at: item",
        ("lines.update.0.at", "'product_id' does not lie in 'item'"),
    ),
    Mistake(
        "    path: /customers\n",
        "    path: /customers\n    version: {at: version, condition: ~}\n",
        "  customers:",
        (
            "customers.update.0",
            "says no {version}, and no header does: edits in between would be overwritten",
        ),
    ),
    Mistake(
        "    path: /customers\n",
        '    path: /customers\n    create: {constants: {was: "{version}"}}\n',
        "{version}",
        ("create.0.constants", "the first call makes the record: there is no {version} yet"),
    ),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.new.strip()[:60])
def test_a_mistake_is_located(mistake: Mistake, tmp_path: Path) -> None:
    is_located(mistake, tmp_path)
