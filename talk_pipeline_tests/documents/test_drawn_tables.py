"""Tables in any markup of docutils are read alike: a list of lists, drawn with lines or in columns, CSV."""

from collections.abc import Callable

import pytest

from talk_pipeline.documents.model import Row, Table
from talk_pipeline.documents.reader import read_text
from talk_pipeline_tests.documents.texts import ORDER, document, section

Cells = list[tuple[str, ...]]
HEAD = ("Customwebshop Order Property", "Businesscentral Salesorders Property", "Businesscentral Data Type")
ROWS: Cells = [
    ("number", "externalDocumentNumber", '"string"'),
    ("billing.address_1", "billToAddressLine1", "N/A"),
    ("wp_posts_", "`note`_", "float"),
]


def grid(rows: Cells) -> str:
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    lines = ["+" + "+".join("-" * width for width in widths) + "+"]
    for number, row in enumerate(rows):
        cells = (f" {cell}".ljust(width) for cell, width in zip(row, widths, strict=True))
        lines += [
            "|" + "|".join(cells) + "|",
            lines[0] if number or len(rows) == 1 else lines[0].replace("-", "="),
        ]
    return "\n".join(lines) + "\n"


def simple(rows: Cells) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    border = "  ".join("=" * width for width in widths)
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    body = [*texts[1:], border] if len(texts) > 1 else [border]
    return "\n".join([border, texts[0], border, *body]) + "\n"


def titled(rows: Cells) -> str:
    drawn = "".join(f"   {line}\n" for line in simple(rows).splitlines())
    return f".. table:: The properties\n   :widths: auto\n\n{drawn}"


def csv(rows: Cells) -> str:
    texts = (", ".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows)
    return ".. csv-table::\n   :header-rows: 1\n\n" + "".join(f"   {text}\n" for text in texts)


DRAWN = {"grid": grid, "simple": simple, "titled": titled, "csv": csv}


def read(table: str) -> tuple[Row, ...]:
    listed = section(ORDER)
    text = document(listed[: listed.index("..")] + table)
    (read,) = read_text(text, name="it.rst").sections
    assert [sentence.text for sentence in read.sentences if sentence.says.name == "UNKNOWN"] == []
    return read.rows


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize("number", range(len(ROWS) + 1))
def test_every_row_is_read(draw: Callable[[Cells], str], number: int) -> None:
    if draw is csv and not number:
        pytest.skip("is none to docutils")
    rows = read(draw([HEAD, *ROWS[:number]]))
    assert [row.cells for row in rows] == ROWS[:number]
    assert {row.table for row in rows} <= {Table.PROPERTIES}
    assert [(row.shop, row.bc, row.type) for row in rows] == [
        (shop, bc, of_type.strip('"')) for shop, bc, of_type in ROWS[:number]
    ]


@pytest.mark.parametrize("draw", [grid, simple])
def test_a_row_has_its_line(draw: Callable[[Cells], str]) -> None:
    listed = section(ORDER)
    text = document(listed[: listed.index("..")] + draw([HEAD, *ROWS]))
    for row in read(draw([HEAD, *ROWS])):
        assert row.cells[0] in text.splitlines()[row.line - 1]


def test_cells_that_are_one_are_no_pair() -> None:
    drawn = grid([HEAD, ("number", "externalDocumentNumber", "string")])
    at = drawn.rindex("|", 0, drawn.rindex("|"))
    merged = drawn[:at] + " " + drawn[at + 1 :]
    rows = read(merged)
    assert [row.table for row in rows] == [Table.UNKNOWN]
    assert "externalDocumentNumber" in " ".join(rows[0].cells)
