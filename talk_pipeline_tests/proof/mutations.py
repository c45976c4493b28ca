"""Small mistakes that somebody might make in a file: in its Python, and in the SQL that its texts are.

Tools that change programs change Python alone. Most of what decides here is SQL, which they take for words.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPPED_IN_SQL = {
    " = ": " <> ",
    " <> ": " = ",
    " < ": " <= ",
    " <= ": " < ",
    " > ": " >= ",
    " >= ": " > ",
    " + ": " - ",
    " - ": " + ",
    "and": "or",
    "or": "and",
    "is null": "is not null",
    "is not null": "is null",
    "is distinct from": "is not distinct from",
    "is not distinct from": "is distinct from",
    "exists": "not exists",
    "not exists": "exists",
    "in (": "not in (",
    "not in (": "in (",
    "min(": "max(",
    "max(": "min(",
    "min_by(": "max_by(",
    "max_by(": "min_by(",
    "bool_or(": "bool_and(",
    "bool_and(": "bool_or(",
    "true": "false",
    "false": "true",
    "left join": "join",
    "select distinct": "select",
    "union": "union all",
    "union all": "union",
    " desc": "",
}
SWAPPED_IN_PYTHON: dict[type[ast.AST], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
LEFT_OUT = "pass"
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "continue": "break"}

_BRACKETED = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
_UNIT = rf"(?:\bcase\b[^\"]*?\bend\b|\bdistinct from\b|{_BRACKETED}|[^()\"])"
_CONDITION = rf"(?:(?!\b(?:and|or|where)\b){_UNIT})+?"
_FOLLOWS = "and|or|where|group|order|union|when|then|else|end|from|join|left|limit"
_ENDED = rf"(?=\s*(?:[),\"]|$|\b(?:{_FOLLOWS})\b))"
# what else is looked for in SQL, and what comes in its place, where {} is what was found or its first group
_IN_SQL: list[tuple[str, str | Callable[[str], str]]] = [
    (r"\bnot (?!null|in\b|exists|distinct)", ""),
    (rf"\band {_CONDITION}{_ENDED}", ""),
    (rf"(?<=\bwhere ){_CONDITION}\s+and\b", ""),
    (rf"(?<=\bon ){_CONDITION}\s+and\b", ""),
    (r"\border by (?!all\b|\d)[\w.]+\b(?! desc)", "{} desc"),
    (r"\bcoalesce\(([^(),]+), [^()]+\)", "{}"),
    # not one that stands for a column
    (r"(?<!by )(?<!\d, )(?<![\w$.'])\d+(?![\w.'])", lambda said: str(int(said) + 1)),
    # the longest first, so that `not in (` is one thing, and not an `in (`
    (
        "|".join(
            "".join((r"(?<!\w)" * word[0].isalpha(), re.escape(word), r"(?!\w)" * word[-1].isalpha()))
            for word in sorted(SWAPPED_IN_SQL, key=len, reverse=True)
        ),
        lambda said: SWAPPED_IN_SQL[said],
    ),
]
_IS_SQL = re.compile(
    r"\b(?:select|update \w+ set|insert into|delete from|where|join|then|is null)\b| (?:=|<>) "
)
# remarks, texts, places that are filled in (a doubled brace is one), and what is given to a column
_NOT_SQL = re.compile(r"--[^\n]*|'[^'\n]*'|(?<!\{)\{[^{}\n]+\}(?!\})|(?:\bset|,)\s+\w+ = ")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file: what stands between two places of its text, and what would stand there."""

    file: Path
    start: int
    end: int
    text: str

    @property
    def source(self) -> str:
        """The file, changed."""
        whole = self.file.read_text(encoding="utf-8")
        return whole[: self.start] + self.text + whole[self.end :]

    @property
    def line(self) -> int:
        """Where it is, from 1."""
        return self.file.read_text(encoding="utf-8").count("\n", 0, self.start) + 1

    @property
    def change(self) -> str:
        """What the lines that it is in become; of a call that is left out, how it begins."""
        whole = self.file.read_text(encoding="utf-8")
        if self.text == LEFT_OUT:
            return f"left out: {whole[self.start : self.end].splitlines()[0]}"
        begin, end = whole.rfind("\n", 0, self.start) + 1, whole.find("\n", self.end)
        after = whole[begin : self.start] + self.text + whole[self.end : end]
        return f"{' '.join(whole[begin:end].split())}  ->  {' '.join(after.split())}"


def mutants(file: Path) -> list[Mutant]:
    """All of one file, from its beginning to its end."""
    whole = file.read_text(encoding="utf-8")
    found = {Mutant(file, *place) for place in _Places(whole).found()}
    return sorted(found, key=lambda one: (one.start, one.end, one.text))


class _Places:
    """Where something can be changed in a file, and into what: (start, end, new)."""

    def __init__(self, whole: str) -> None:
        self._whole, self._lines = whole, whole.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def found(self) -> Iterator[tuple[int, int, str]]:
        waiting: list[ast.AST] = [ast.parse(self._whole)]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.JoinedStr) or (
                isinstance(node, ast.Constant) and isinstance(node.value, str)
            ):
                yield from self._in_sql(*self._place(node))
                continue
            yield from self._in_python(node)
            waiting += [one for one in ast.iter_child_nodes(node) if not _is_told(node, one)]

    def _in_python(self, node: ast.AST) -> Iterator[tuple[int, int, str]]:
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others):
                for before, op, after in zip([left, *others], ops, others, strict=False):
                    yield from self._between(before, op, after)
            case ast.BoolOp(op=op, values=values):
                for before, after in zip(values, values[1:], strict=False):
                    yield from self._between(before, op, after)
            case ast.BinOp(left=left, op=op, right=right):
                yield from self._between(left, op, right)
            case ast.UnaryOp(op=ast.Not()):
                start, _ = self._place(node)
                yield start, start + len("not "), ""
            case ast.Constant(value=bool(value)):
                yield *self._place(node), str(not value)
            case ast.Constant(value=int(value)):
                yield *self._place(node), str(value + 1)
            case ast.Name(id=name) if name in NAMES:
                yield *self._place(node), NAMES[name]
            case ast.Continue():
                yield *self._place(node), NAMES["continue"]
            case ast.Expr(value=ast.Call() | ast.Await()):
                yield *self._place(node), LEFT_OUT
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                yield from self._denied(test)
            case ast.comprehension(ifs=tests):
                for test in tests:
                    yield from self._denied(test)

    def _denied(self, test: ast.expr) -> Iterator[tuple[int, int, str]]:
        """A comparison, or what is denied already, is turned elsewhere."""
        if not isinstance(test, ast.Compare | ast.UnaryOp):
            start, end = self._place(test)
            yield start, end, f"(not ({self._whole[start:end]}))"

    def _between(self, before: ast.expr, op: ast.AST, after: ast.expr) -> Iterator[tuple[int, int, str]]:
        old, new = SWAPPED_IN_PYTHON.get(type(op), ("", ""))
        start, end = self._place(before)[1], self._place(after)[0]
        if old and (at := self._whole.find(old, start, end)) >= 0:
            yield at, at + len(old), new

    def _in_sql(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        said = self._whole[start:end]
        if not _IS_SQL.search(said):
            return
        masked = _NOT_SQL.sub(lambda found: "_" * len(found[0]), said)
        for pattern, new in _IN_SQL:
            for found in re.finditer(pattern, masked):
                old = said[slice(*found.span(min(1, found.re.groups)))]
                text = new.format(old) if isinstance(new, str) else new(old)
                yield start + found.start(), start + found.end(), text

    def _place(self, node: ast.AST) -> tuple[int, int]:
        ends = ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))  # type: ignore[attr-defined]
        start, end = (
            self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())
            for line, column in ends
        )
        return start, end


def _is_told(node: ast.AST, child: ast.AST) -> bool:
    """Whether it is for people and tools only: a docstring, a decorator, a type, or `strict` of a zip."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assert() | ast.keyword(arg="strict"):
            return True
        case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=annotation) if child is annotation:
            return True
        case ast.FunctionDef(returns=told) | ast.AsyncFunctionDef(returns=told) if child is told:
            return True
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return child in node.decorator_list
    return False
