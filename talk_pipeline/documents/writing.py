"""The text of a proposed flow file: the packaged one with its comments, less what the document does not ask for.

A row that the document names says so by the comment `document line N`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from talk_pipeline.documents.folder import REPORT
from talk_pipeline.documents.plan import Plan
from talk_pipeline.flows.endings import summed
from talk_pipeline.flows.loading import read_yaml
from talk_pipeline.flows.schema import FILE as SCHEMA
from talk_pipeline.flows.vocabulary import Part


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def flow_text(plan: Plan, packaged: Path, *, document: str) -> str:
    """The flow file that a plan asks for.

    Args:
        plan: what it keeps.
        packaged: the flow file it is made from.
        document: what the document is called, for the first lines.
    """
    data, tree = read_yaml(packaged, composed=True)
    assert isinstance(tree, yaml.MappingNode)
    editing = _Editing(packaged.read_text(encoding="utf-8"), plan, data)
    text = editing.edited(tree)
    head, _, body = text.partition("\n")
    assert head.startswith("# yaml-language-server:"), packaged
    why = f"; {plan.because}" if plan.because else ""
    origin = f"# Proposed by import-doc from {document}{why}; {REPORT} tells what is to be decided."
    return f"# yaml-language-server: $schema={SCHEMA}\n{origin}\n{body}"


class _Editing:
    def __init__(self, text: str, plan: Plan, data: Any) -> None:
        self.text, self.plan, self.data = text, plan, data
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def edited(self, tree: yaml.MappingNode) -> str:
        edits = [*self._rows(tree), *self._names(tree)]
        text = self.text
        for edit in sorted(edits, key=lambda one: one.start, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return text

    def _rows(self, tree: yaml.MappingNode) -> Iterator[_Edit]:
        for part in self.plan.flow.parts:
            where = () if part.parent is None else ("children", part.key)
            rows = _at(tree, (*where, "properties"))
            found = _value(self.data, (*where, "properties"))
            for prop, node, row in zip(part.properties, rows.value, found, strict=True):
                yield from self._row(part, prop.name, node, row)

    def _row(self, part: Part, name: str, node: yaml.Node, row: Mapping[str, Any]) -> Iterator[_Edit]:
        first, last = node.start_mark.line, node.end_mark.line
        if not self.plan.keeps(part, name):
            while self._line(first - 1).lstrip().startswith("#"):
                first -= 1  # what was said of it
            yield _Edit(self.starts[first], self.starts[last + 1], "")
            return
        start, end = self._span(node)
        pruned = self._pruned(part, row)
        if pruned != row:
            yield _Edit(start, end, _one_line(pruned))
        if lines := self.plan.lines.get((part.name, name)):
            yield self._comment(last, lines)

    def _pruned(self, part: Part, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row without names of properties that are left out."""
        kept = {key: value for key, value in row.items() if key != "country" or self._kept(part, value)}
        along = [name for name in kept.pop("send_with", ()) if self._kept(part, name)]
        return kept | ({"send_with": along} if along else {})

    def _names(self, tree: yaml.MappingNode) -> Iterator[_Edit]:
        """Everything outside the tables that names properties, and what is created."""
        root, plan = self.plan.flow.root, self.plan
        match = [name for name in plan.match or plan.flow.match if self._kept(root, name)]
        yield from self._value(tree, ("match",), match)
        if plan.match:
            lines = sorted(line for found in plan.match.values() for line in found)
            yield self._comment(_at(tree, ("match",)).end_mark.line, lines)
        if plan.flow.label and not self._kept(root, plan.flow.label):
            yield self._without(tree, ("label",))
        lines_of = [part for part in plan.flow.parts if part.parent]
        for key, parts in (("withholds", [root]), ("withholds_lines", lines_of)):
            yield from self._filtered(tree, ("guard", key), parts)
        for part in lines_of:
            yield from self._filtered(tree, ("children", part.key, "send_with"), [root])
        if closed := plan.flow.businesscentral.closed_by:
            kept = {prop.bc for prop in summed(closed, root.properties) if plan.keeps(root, prop.name)}
            sums = [name for name in closed.sums if name in kept]
            if sums != list(closed.sums):
                yield from self._value(tree, ("businesscentral", "closed_by", "sums"), sums)
            own = {prop.bc for prop in root.properties if plan.keeps(root, prop.name)}
            called = {path: there for path, there in closed.called.items() if path in own}
            if called != closed.called:
                yield from self._value(tree, ("businesscentral", "closed_by", "called"), called)
        if not all(self._kept(root, name) for name in plan.flow.settings.blocked_by):
            yield self._without(tree, ("settings", "blocked_by"))
        if plan.create:
            yield from self._value(tree, ("settings", "create"), plan.create)

    def _filtered(
        self, tree: yaml.MappingNode, path: tuple[str, ...], parts: Sequence[Part]
    ) -> Iterator[_Edit]:
        names = _value(self.data, path)
        if names:
            kept = [name for name in names if any(self._kept(part, name) for part in parts)]
            yield from self._value(tree, path, kept)

    def _kept(self, part: Part, name: str) -> bool:
        return name in part.by_name and self.plan.keeps(part, name)

    def _value(self, tree: yaml.MappingNode, path: tuple[str, ...], value: object) -> Iterator[_Edit]:
        if _value(self.data, path) != value:
            yield _Edit(*self._span(_at(tree, path)), _one_line(value))

    def _without(self, tree: yaml.MappingNode, path: tuple[str, ...]) -> _Edit:
        node = _at(tree, path)
        return _Edit(self.starts[node.start_mark.line], self.starts[node.end_mark.line + 1], "")

    def _comment(self, line: int, lines: Sequence[int]) -> _Edit:
        end = self.starts[line] + len(self._line(line))
        word = "line" if len(lines) == 1 else "lines"
        joint = "," if "#" in self._line(line) else " #"
        return _Edit(end, end, f"{joint} document {word} {', '.join(map(str, sorted(lines)))}")

    def _line(self, number: int) -> str:
        return self.text[self.starts[number] : self.starts[number + 1]].rstrip("\n")

    def _span(self, node: yaml.Node) -> tuple[int, int]:
        start, end = node.start_mark, node.end_mark
        return self.starts[start.line] + start.column, self.starts[end.line] + end.column


def _at(node: yaml.Node, path: tuple[str, ...]) -> yaml.Node:
    for step in path:
        node = next(value for key, value in node.value if key.value == step)
    return node


def _value(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data


def _one_line(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...").strip()
