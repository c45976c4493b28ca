"""The checklist as a document: one section a flow with its property table, each row with its verdict."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from talk_pipeline.cli.telling import describe, headline, of_run
from talk_pipeline.engine.report.sheet import Line, Sheet
from talk_pipeline.engine.report.stops import stops_of

_TEMPLATES = {"rst": "checklist.rst.j2", "html": "checklist.html.j2"}


def document(form: str, sheet: Sheet) -> str:
    """The checklist as reStructuredText or HTML."""
    environment = Environment(
        loader=PackageLoader("talk_pipeline.cli"),
        autoescape=form == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "describe": describe, "of_run": of_run}
    return environment.get_template(_TEMPLATES[form]).render(
        headline=headline(sheet),
        verdict=sheet.verdict,
        stops=stops_of(sheet),
        sections=[
            {
                "flow": section.flow,
                "records": [line for line in section.lines if not _of_property(line)],
                "properties": [line for line in section.lines if _of_property(line)],
            }
            for section in sheet.sections
        ],
    )


def _of_property(line: Line) -> bool:
    return line.check.name.startswith("property_")


def _cell(text: object) -> str:
    """Text that means nothing to reStructuredText."""
    plain = " ".join(str(text).split())
    for character in "\\*`|_":
        plain = plain.replace(character, f"\\{character}")
    return plain
