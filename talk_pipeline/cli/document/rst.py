"""The document as reStructuredText, in the form of its family: list-tables below headings and sentences."""

import re
from collections.abc import Iterable, Iterator

from talk_pipeline.cli.document.tree import Document, Rule, Section, Table


def written(document: Document) -> str:
    """The whole text."""
    return "\n".join(_document(document)).rstrip() + "\n"


def _document(document: Document) -> Iterator[str]:
    line = "=" * len(document.title)
    yield from (line, document.title, line, "")
    yield from (f"Generated: {document.generated_at:%Y-%m-%d %H:%M:%S}", "")
    if document.headline:
        yield from (plain(document.headline), "")
    yield from (f":{plain(label)}: {plain(text)}" for label, text in document.facts)
    yield ""
    for notice in document.notices:
        yield from (".. warning::", f"   {plain(notice)}", "")
    for halt in document.halts:
        yield from (plain(halt.headline), "")
        if halt.largest:
            yield from _table(halt.largest)
        yield from _bullets(f"{what}: {how}" for what, how in halt.ways)
    yield from ("Introduction", "------------", "")
    for paragraph in document.introduction:
        yield from (plain(paragraph), "")
    for section in document.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    title = plain(section.title)
    yield from (title, "-" * len(title))
    yield from (plain(section.every), "", *_bullets(section.every_limits))
    yield from (plain(section.in_step), "", *_bullets(section.in_step_limits))
    yield from (plain(section.table_sentence), "", *_table(section.property_table))
    for line in section.properties:
        if line.judged and line.judged.rows:
            yield from _table(line.judged.rows)
    for rule in section.rules:
        yield from _rule(rule)
    if section.checks:
        yield from (".. rubric:: General checks", "", *_table(section.check_table, titled=False))
        for check in section.checks:
            if check.judged.rows:
                yield from _table(check.judged.rows)
    if section.open_items:
        yield from (".. rubric:: Open items", "")
        yield from _table(section.open_items.table) if section.open_items.items else ("Nothing is open.", "")
    yield from (".. rubric:: Steps for a tester", "", *_table(section.step_table, titled=False))
    yield ""


def _rule(rule: Rule) -> Iterator[str]:
    yield from (f".. rubric:: {plain(rule.title)}", "")
    sentences = rule.sentences
    if rule.table:
        yield from (plain(sentences[0]), "", *_table(rule.table))
        sentences = sentences[1:]
    yield from _bullets(sentences)


def _bullets(sentences: Iterable[str]) -> Iterator[str]:
    listed = [f"* {plain(sentence)}" for sentence in sentences]
    yield from (*listed, "") if listed else ()


def _table(table: Table, *, titled: bool = True) -> Iterator[str]:
    title = f" {plain(table.caption)}" if titled and table.title else ""
    yield from (f".. list-table::{title}", "   :header-rows: 1", "")
    for row in (table.columns, *table.rows):
        for index, cell in enumerate(row):
            mark = "  -" if index else "* -"
            yield f"   {mark} {plain(cell)}".rstrip()
    yield ""


_MEANS_SOMETHING = re.compile(r"[\\*`|]|_(?!\w)|(?<!\w)_|__+|::")
_ENUMERATES = re.compile(r"\(?(?:\w|#|\d+|[ivxlcdm]+)[.)](?:\s|$)", re.IGNORECASE)


def plain(text: str) -> str:
    """Text of one line that means nothing to reStructuredText, wherever a paragraph may begin with it."""
    escaped = _MEANS_SOMETHING.sub(lambda found: "".join(f"\\{one}" for one in found[0]), text)
    begins = text[:1]
    if begins == "\\" or _ENUMERATES.match(text):  # signs alone might be the line above a title
        return f"\\ {escaped}"  # an escaped space is none
    if begins and not begins.isalnum() and escaped.startswith(begins):
        return f"\\{escaped}"
    return escaped
