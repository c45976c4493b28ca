"""What a record holds is shown at a terminal, and moves, colours and hides nothing there."""

import ast
import unicodedata
from io import StringIO
from pathlib import Path

import pytest

from talk_pipeline.cli import main, terminal
from talk_pipeline.cli.tables import TEXT_WIDTH, console, line, print_items, print_table
from talk_pipeline.cli.terminal import LONGEST_LINE, Terminal, in_a_line, visible
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

SEEN = {
    "an escape": ("\x1b[2J\x1b[1;32mok", r"\x1b[2J\x1b[1;32mok"),
    "a title": ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    "an escape of one character": ("\x9b31m", r"\x9b31m"),
    "back to the beginning": ("FAILED\rPASSED", r"FAILED\rPASSED"),
    "back by one": ("FAILED\b\b", r"FAILED\x08\x08"),
    "the other direction": ("a\u202egnp.exe", r"a\u202egnp.exe"),
    "half a character": ("a\ud83d", r"a\ud83d"),
    "markup of ours": ("[red]a[/red]", "[red]a[/red]"),
    "letters": ("Ærø 東京 👩‍👩‍👧 שלום", "Ærø 東京 👩‍👩‍👧 שלום"),
}


def obeyed(text: str) -> list[str]:
    return [one for one in text if unicodedata.category(one) in ("Cc", "Cs") and one != "\n"]


@pytest.mark.parametrize(("value", "shown"), SEEN.values(), ids=SEEN)
def test_a_value_is_shown_wherever_it_stands(value: str, shown: str) -> None:
    out = Terminal(file=StringIO(), width=200, highlight=False, force_terminal=False)
    print_table(out, value, ("a",), [(value,)])
    print_items(out, "items", [(value, [value])])
    line(out, value)
    told = out.file.getvalue()  # type: ignore[attr-defined]
    assert not obeyed(told)
    assert told.count(shown) == 5
    assert visible(value) == in_a_line(value) == shown


def test_a_value_does_not_begin_a_line_of_its_own() -> None:
    out = Terminal(file=StringIO(), width=200, highlight=False)
    forged = "a\nverdict: PASSED\n\tall is well"
    line(out, forged)
    print_table(out, None, ("a",), [(forged,)])
    told = out.file.getvalue()  # type: ignore[attr-defined]
    assert told.count(r"a\nverdict: PASSED\n\tall is well") == 2
    assert visible(forged) == forged, "lines of our own stay lines"


def test_of_a_value_of_megabytes_the_beginning_is_shown() -> None:
    out, long = Terminal(file=StringIO(), width=200, highlight=False), "x" * 1_000_000
    print_table(out, None, ("a",), [(long,)])
    line(out, f"{long}y")
    told = out.file.getvalue()  # type: ignore[attr-defined]
    assert told.count("x") == 2 * LONGEST_LINE
    assert "(20000 of 1000001 characters)" in told


def test_colours_of_our_own_stay() -> None:
    out = Terminal(file=StringIO(), force_terminal=True, color_system="standard", highlight=False)
    out.print("a\x1b[0mb", style="red", markup=False)
    assert out.file.getvalue() == "\x1b[31ma\\x1b[0mb\x1b[0m\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", [("explain",), ("history",), ("checklist",), ("plan",), ("status",)])
def test_no_command_lets_a_record_write_to_the_terminal(world: World, command: tuple[str, ...]) -> None:
    evil = "A\x1b[2J\x1b]0;owned\x07\r\x9b1mB"
    shop_id = world.shop.post("customers", {**customer(), "company_name": evil})["id"]
    world.step("customer")
    if command[0] in ("explain", "history"):
        command = (*command, "customer", shop_id)
    if command[0] == "plan":
        command = ("sync", "--flow", "customer", "--dry-run")
    done = run(*command)
    assert done.stdout
    assert not done.stderr.startswith("error"), done.stderr
    assert not obeyed(done.stdout + done.stderr)
    if command[0] == "explain":
        assert r"\x1b[2J" in done.stdout


def test_tables_are_as_wide_as_they_are_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == TEXT_WIDTH
    monkeypatch.setenv("COLUMNS", "61")
    assert console().width == 61


def test_nobody_else_prints() -> None:
    for file in Path(main.__file__).parent.rglob("*.py"):
        if file != Path(terminal.__file__):
            for node in ast.walk(ast.parse(file.read_text())):
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                assert called not in ("print", "typer.echo", "typer.secho", "Console"), f"{file}:{called}"
                assert "sys.stdout.write" not in called, file
