"""Reading documents: what is understood, and what is named with its line and a way out."""

from pathlib import Path

import pytest

from talk_pipeline.documents.headings import joined, systems
from talk_pipeline.documents.model import DocumentError, Says, Section, Table
from talk_pipeline.documents.phrases import Phrases, both_ways, creation
from talk_pipeline.documents.reader import read_document, read_text
from talk_pipeline.documents.types import Fit, fit
from talk_pipeline.flows.sides import Side

TITLE = "Customwebshop to Businesscentral Dataflow\n=========================================\n\n"
HEADING = "Customwebshop Order to Businesscentral Salesorders"
HEAD = f"""{TITLE}{HEADING}
{"-" * len(HEADING)}
Every Customwebshop Order will be synchronized with a Businesscentral Salesorders.

.. list-table::
   :header-rows: 1

   * - Customwebshop Order Property
     - Businesscentral Salesorders Property
     - Businesscentral Data Type
"""


def only_section(text: str) -> Section:
    (section,) = read_text(text, name="it.rst").sections
    return section


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("A to Businesscentral Dataflow", ("A", "Businesscentral")),
        ("Businesscentral to A Dataflow", ("Businesscentral", "A")),
        ("Tick to Do to Business Central dataflow", ("Tick to Do", "Business Central")),
        ("Business Central to Tick to Do Dataflow", ("Business Central", "Tick to Do")),
        ("Shop-24 to Businesscentral Dataflow", ("Shop-24", "Businesscentral")),
        ("to Businesscentral Dataflow", ("", "Businesscentral")),
        ("Businesscentral to Dataflow", ("Businesscentral", "")),
        ("A to B Dataflow", ("A", "B")),
        ("Tomato Dataflow", None),
        ("A to Businesscentral", None),
    ],
)
def test_titles(title: str, found: tuple[str, str] | None) -> None:
    assert systems(title) == found


@pytest.mark.parametrize(
    ("heading", "found"),
    [
        ("Tick to Do Time to bill to Businesscentral Jobs to do", (Side.BC, "Time to bill", "Jobs to do")),
        ("BUSINESSCENTRAL Items to Tick to Do Item", (Side.SHOP, "Item", "Items")),
        ("Business Central Items to Tick to-do Item", (Side.SHOP, "Item", "Items")),
        ("Businesscentral Items to Other Item", (Side.SHOP, "Other Item", "Items")),
        ("Order to Businesscentral Salesorders", (Side.BC, "Order", "Salesorders")),
        ("Items to Other Item", None),
        ("Tick to Do to Businesscentral Items", (Side.BC, "Tick to Do", "Items")),
    ],
)
def test_headings(heading: str, found: tuple[Side, str, str] | None) -> None:
    sides = joined(heading, "Tick to Do", "Businesscentral")
    assert (sides and (sides.toward, sides.shop, sides.bc)) == found


def test_between_two_other_systems_nothing_is_on_a_side() -> None:
    for first, second in (("A", "B"), ("Businesscentral", "BusinessCentral 2")):
        sides = joined(f"{first} Order to {second} Order", first, second)
        assert sides is not None
        assert sides.toward is None


A, B = "Customwebshop Order", "Businesscentral Salesorders"


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        (f"Every {A} will be synchronized with a {B}.", Says.EVERY_RECORD),
        (f"Every {A} that is paid will be synchronized with a {B}.", Says.UNKNOWN),
        ("Every Other Thing will be synchronized with a Businesscentral Salesorders.", Says.UNKNOWN),
        (
            f"Before any synchronization can take place, a link between a {A} and a {B} must be established.",
            Says.LINK_FIRST,
        ),
        (
            f"A new {B} will be created from a {A} if it is connected to a Customwebshop Customer that is"
            " synchronized into Businesscentral.",
            Says.WHEN_CONNECTED,
        ),
        (
            f"A new {B} will be created from a {A} if it is connected to a Deal that is synchronized into"
            " Businesscentral and is won.",
            Says.ON_CONDITION,
        ),
        (f"A new {B} will be created from a {A} if it is won.", Says.ON_CONDITION),
        (f"A new {B} will be created from a {A}.", Says.CREATES),
        (
            f"A {A} will merge with a {B} if one of the following property combinations match:",
            Says.MERGES,
        ),
        (
            f"Once a link between a {A} and a {B} is established, it will keep in sync between the two systems,"
            " regardless of where it is edited.",
            Says.STAYS_IN_SYNC,
        ),
        (f"The following properties are synchronized between a {A} and a {B}:", Says.TABLE_FOLLOWS),
        ("It rains.", Says.UNKNOWN),
    ],
)
def test_sentences(sentence: str, says: Says) -> None:
    (found,) = Phrases(A, B).sentences(sentence, line=1)
    assert found.says is says


EVERY = "Every {} will be synchronized with a {}."
FIRST = "Before any synchronization can take place, a link between a {} and a {} must be established."
CONNECTED = "A new {1} will be created from a {0} if it is connected to a Thing that is synchronized into it."
CONDITION = "A new {1} will be created from a {0} if it is won."


@pytest.mark.parametrize(
    ("toward_bc", "toward_shop", "create", "asked"),
    [
        ([EVERY], None, "always", 0),
        ([FIRST], None, "never", 0),
        ([FIRST, CONNECTED], None, "when_referenced", 0),
        ([FIRST, CONDITION], None, "never", 1),
        ([], None, None, 1),
        ([EVERY], [EVERY], "both", 0),
        ([EVERY], [FIRST], "always", 0),
        ([FIRST], [EVERY], "never", 1),
        (None, [EVERY], "never", 1),
        (None, [FIRST], "never", 0),
    ],
)
def test_who_gets_a_counterpart(
    toward_bc: list[str] | None, toward_shop: list[str] | None, create: str | None, asked: int
) -> None:
    sides = {}
    for side, said, names in ((Side.BC, toward_bc, (A, B)), (Side.SHOP, toward_shop, (B, A))):
        if said is not None:
            heading = f"{names[0]} to {names[1]}"
            text = "\n\n".join(one.format(*names) for one in said) or "\n"
            section = only_section(f"{TITLE}{heading}\n{'-' * len(heading)}\n{text}\n")
            assert section.toward is side
            sides[side] = creation(section)
    wanted, questions = both_ways(sides)
    assert (wanted, len(questions)) == (create, asked)


def test_rows_are_read_as_they_are_written() -> None:
    text = (
        HEAD
        + '   * - name_\n     - Display\n       Name\n     - "string"\n   * - a\\|b\n     -\n     - N/A\n'
    )
    first, second = only_section(text).rows
    assert (first.line, first.shop, first.bc, first.type) == (14, "name_", "Display Name", "string")
    assert (second.line, second.shop, second.bc, second.type) == (18, "a|b", "", "N/A")


def test_a_table_towards_the_shop_has_its_columns_the_other_way_round() -> None:
    other = HEAD.replace(HEADING, "Businesscentral Salesorders to Customwebshop Order")
    (row,) = only_section(other + "   * - orderDate\n     - date\n     - string\n").rows
    assert (row.shop, row.bc) == ("date", "orderDate")


def test_windows_files_with_marks_and_long_underlines() -> None:
    text = (
        HEAD.replace("-\nEvery", "-----\nEvery").replace("\n", "\r\n")
        + "   * - a\r\n     - b\r\n     - c\r\n"
    )
    (row,) = only_section(text).rows
    assert (row.line, row.table) == (14, Table.PROPERTIES)


def test_rows_and_tables_of_another_form_are_still_rows() -> None:
    rows = only_section(HEAD + "   * - a\n     - b\n   * - a\n     - b\n     - c\n     - d\n").rows
    assert [(row.table, row.cells) for row in rows] == [
        (Table.UNKNOWN, ("a", "b")),
        (Table.UNKNOWN, ("a", "b", "c", "d")),
    ]


def test_no_row_is_lost_wherever_its_table_stands() -> None:
    table = ".. list-table::\n\n   * - a\n     - b\n     - c\n\n"
    indented = table.replace("\n", "\n   ").rstrip() + "\n"
    introduction = f"Introduction\n------------\n\n{table}"
    text = f"{table}{TITLE}{table}{introduction}{HEADING}\n{'-' * 60}\n\nText.\n\n   {indented}"
    found = read_text(text, name="it.rst")
    assert [(section.heading[:12], len(section.rows)) for section in found.sections] == [
        ("Customwebsho", 2),
        ("Introduction", 1),
        ("Customwebsho", 1),
    ]
    assert [section.toward for section in found.sections] == [None, None, Side.BC]


def test_what_is_no_row_and_no_sentence_is_kept_too() -> None:
    section = only_section(HEAD + "\n* a list\n\n+---+\n| x |\n+---+\n")
    assert [one.text for one in section.sentences if one.says is Says.UNKNOWN] == ["a list"]
    assert [(row.table, row.cells) for row in section.rows] == [(Table.UNKNOWN, ("x",))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; a data-flow document is titled"),
        (b"  \n\n", "is empty"),
        (b"just text\n", "has no headings"),
        (b"# A to B\n\ntext\n", "has no headings"),
        (b"My Diary\n========\n\ntext\n", ":1: the title is 'My Diary'; a data-flow document is titled"),
        (HEAD.encode() + b"   * - \xff\n", "is no text in UTF-8 (byte"),
        (TITLE.encode("utf-16"), "is no text in UTF-8 (byte 1); save it as UTF-8"),
        (TITLE.encode() + b".. nonsense:: x\n", ":4: not reStructuredText: Unknown directive type"),
        (
            TITLE.encode() + b"Two\n---\n\nx\n\nToo\n~~~\n\nThree\n^^^\n\nTwo\n===\n\nA\n~~~\n",
            "not reStructuredText",
        ),
        (HEAD.encode() + b"   * a row without cells\n", "the row in line 14 is not a list of cells"),
        (HEAD.encode() + b"\n   and more\n", "the table is not one list of rows"),
    ],
)
def test_what_is_no_document_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "it.rst"
    file.write_bytes(content)
    with pytest.raises(DocumentError) as raised:
        read_document(file)
    assert str(raised.value).startswith(str(file))
    assert message in str(raised.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: Is a directory; name one document"):
        read_document(tmp_path)
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_document(tmp_path / "none.rst")


def test_nothing_outside_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password")
    file = tmp_path / "it.rst"
    file.write_text(
        f"{TITLE}\n.. include:: {tmp_path}/secret\n\n.. raw:: html\n   :file: {tmp_path}/secret\n"
    )
    assert "password" not in str(read_document(file))


@pytest.mark.parametrize(
    ("written", "kind", "found"),
    [
        ("string", "code", Fit.FITS),
        ("String(20)", "text", Fit.FITS),
        ("string", "decimal", Fit.DIFFERS),
        ("float", "decimal", Fit.FITS),
        ("Edm.Decimal", "decimal", Fit.FITS),
        ("boolean", "enum", Fit.DIFFERS),
        ("array", "text", Fit.DIFFERS),
        ("N/A", "decimal", Fit.UNSAID),
        ("", "date", Fit.UNSAID),
        ("mystery", "text", Fit.UNKNOWN),
    ],
)
def test_types(written: str, kind: str, found: Fit) -> None:
    assert fit(written, kind) is found
