"""What files look like: each value as it was written, and back into the very same bytes."""

from typing import Any

import pytest

from talk_pipeline.systems.customwebshop.spec.files import Files
from talk_pipeline.systems.customwebshop.spec.xml import Xml
from talk_pipeline.systems.customwebshop.stores.formats import Form, UnwholeError
from talk_pipeline.systems.customwebshop.stores.store import RefusedError


def form(
    *, count: str | None = None, records: str | None = None, columns: tuple[str, ...] = (), **said: Any
) -> Form:
    files = Files.model_validate({"format": said, "count": count})
    return Form(files, Xml(lists=("line",)), records=records, columns=columns)


CSV = form(type="csv", delimiter=";")
TABLE = b'id;"the name"\r\n1;"a ""b""; c\nd"\r\n2; 01.50 \r\n'


def test_a_table() -> None:
    sheet = CSV.read(TABLE)
    assert sheet.columns == ("id", "the name")
    assert sheet.rows == [{"id": "1", "the name": 'a "b"; c\nd'}, {"id": "2", "the name": " 01.50 "}]
    assert CSV.read(CSV.written(sheet.rows, like=sheet)) == sheet
    row: dict[str, Any] = {"id": None, "the name": True, "action": "create"}
    assert CSV.written([row], like=sheet) == b"id;the name;action\r\n;true;create\r\n"


def test_a_line_within_a_value_may_end_otherwise_than_the_file_does() -> None:
    sheet = CSV.read(b'id;note\n1;"a\r\nb"\n')
    assert sheet.rows == [{"id": "1", "note": "a\r\nb"}]
    assert CSV.written([{"id": "2", "note": "c"}], like=sheet) == b"id;note\n2;c\n"
    with pytest.raises(UnwholeError, match="its last line has no end"):
        CSV.read(b'id;note\n1;"a\r\nb"')
    open_end = form(type="csv", open_end=True, count="#{count}")
    assert open_end.read(b'id,note\r\n1,"a\nb"\r\n#1').line_end == "\r\n"


def test_a_table_in_another_encoding_and_with_a_mark_before_it() -> None:
    text, other = "id,name\n1,Ærø\n", form(type="csv", encoding="cp1252")
    assert other.read(text.encode("cp1252")).rows == [{"id": "1", "name": "Ærø"}]
    assert form(type="csv").read(text.encode("utf-8-sig")).columns == ("id", "name")
    for written, read in (("utf-8-sig", "cp1252"), ("utf-16", "latin-1"), ("utf-16", "utf-8")):
        said = f"it begins with the mark of {written.removesuffix('-sig')}, and is no {read}: say encoding"
        with pytest.raises(UnwholeError, match=said):
            form(type="csv", encoding=read).read(text.encode(written))
    assert form(type="csv", encoding="utf-16").read(text.encode("utf-16")).columns == ("id", "name")
    with pytest.raises(UnwholeError, match="line 2 is no utf-8"):
        form(type="csv").read(text.encode("cp1252"))
    with pytest.raises(RefusedError, match="'日' cannot be written in cp1252"):
        other.written([{"name": "日"}], like=other.read(text.encode("cp1252")))


@pytest.mark.parametrize(("end", "typed"), [("\n", "\r\n"), ("\r\n", "\n")], ids=["lines", "Windows' lines"])
def test_a_value_may_have_line_ends_other_than_the_file(end: str, typed: str) -> None:
    text = f'id,note{end}1,"Ring{typed}twice"{end}2,b{end}'
    sheet = form(type="csv").read(text.encode())
    assert [row["note"] for row in sheet.rows] == [f"Ring{typed}twice", "b"]
    assert form(type="csv").written(sheet.rows, like=sheet) == text.encode()


def test_a_table_without_a_header() -> None:
    bare = form(type="csv", header=False, columns=("id", "name"))
    sheet = bare.read(b"1,a\n2,b\n")
    assert sheet.rows == [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]
    assert bare.written([{"id": "3", "name": "c"}], like=sheet) == b"3,c\n"
    with pytest.raises(RefusedError, match="have no place for action"):
        bare.written([{"id": "3", "action": "create"}], like=sheet)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,id\n1,2\n", "its header has 'id' twice"),
        (b"id,name,,\n1,a,,\n", "its header has '' twice"),
        (b'id,note\n1,"Ring\r\ntwice"\n2,b', "its last line has no end"),
        (b'id,note\n1,"Ring\r\n', "line 2: unexpected end of data"),
        (b"id,name\n1\n", "line 2 has 1 value for 2 columns"),
        (b"id,name\n1,a,b\n", "line 2 has 3 values for 2 columns"),
        (b'id,name\n1,"a" b\n', "line 2: "),
        (b"id,name\n1,a", "its last line has no end"),
        (b'id,name\n1,"a\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_no_table(content: bytes, said: str) -> None:
    with pytest.raises(UnwholeError, match=said):
        form(type="csv").read(content)


def test_lines_of_objects() -> None:
    lines = form(type="jsonl")
    sheet = lines.read(b'{"id":1,"price":1.50,"lines":[{"id":2}]}\n{"id":2,"price":null}\n')
    assert str(sheet.rows[0]["price"]) == "1.50"
    assert lines.written(sheet.rows[:1], like=sheet) == b'{"id":1,"price":1.50,"lines":[{"id":2}]}\n'
    for content, said in (
        (b'{"id":1}\n{"id":2,"pri', "line 2 is no JSON"),
        (b"[1]\n", "line 1 is no object"),
    ):
        with pytest.raises(UnwholeError, match=said):
            lines.read(content)


def test_lines_that_say_how_many_they_are() -> None:
    counting = form(type="jsonl", count="total.records")
    assert counting.read(b'{"id":1}\n{"total":{"records":1}}\n').rows == [{"id": 1}]
    with pytest.raises(UnwholeError, match="says that it has 2 records, and has 1"):
        counting.read(b'{"id":1}\n{"total":{"records":2}}\n')
    with pytest.raises(UnwholeError, match=r"does not say at total.records how many"):
        counting.read(b'{"id":1}\n')


DOCUMENT = (
    '<?xml version="1.0" encoding="utf-8"?>\n<orders n="1"><order><id>1</id><line>a</line></order></orders>'
)


def test_a_document() -> None:
    document = form(type="xml", records="orders.order", count="orders.@n")
    sheet = document.read(DOCUMENT.encode())
    assert sheet.rows == [{"id": "1", "line": ["a"]}]
    told = document.written([{"id": "1", "line": ["a", "b"], "name": "<&>"}], like=sheet)
    plain = form(type="xml", records="orders.order")
    assert plain.read(told).rows == [{"id": "1", "line": ["a", "b"], "name": "<&>"}]
    assert plain.read(b"<orders/>").rows == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (DOCUMENT[:-5].encode(), "it is no XML that is whole"),
        (b"", "it is empty"),
        (b"<other><order><id>1</id></order></other>", "it has nothing at orders; its root is other"),
        (DOCUMENT.replace('"1"><', '"2"><').encode(), "says that it has 2 records, and has 1"),
        (b'<orders n="1"><order>text</order></orders>', "are no records"),
    ],
)
def test_what_is_no_document(content: bytes, said: str) -> None:
    with pytest.raises(UnwholeError, match=said):
        form(type="xml", records="orders.order", count="orders.@n").read(content)
