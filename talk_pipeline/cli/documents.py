"""The checklist as a document: one section a flow with its property table, each row with its verdict."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from talk_pipeline.engine.checklist import Check, Finding
from talk_pipeline.flows.vocabulary import Flow

_TEMPLATES = {"rst": "checklist.rst.j2", "html": "checklist.html.j2"}


def document(form: str, sections: Sequence[tuple[Flow, Sequence[tuple[Check, Finding]]]]) -> str:
    """The checklist as reStructuredText or HTML."""
    environment = Environment(
        loader=PackageLoader("talk_pipeline.cli"),
        autoescape=form == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(_TEMPLATES[form]).render(
        sections=[
            {
                "flow": flow,
                "records": [one for one in listed if not one[0].name.startswith("property_")],
                "properties": [one for one in listed if one[0].name.startswith("property_")],
            }
            for flow, listed in sections
        ]
    )


def _cell(text: object) -> str:
    """Text that means nothing to reStructuredText."""
    plain = " ".join(str(text).split())
    for character in "\\*`|_":
        plain = plain.replace(character, f"\\{character}")
    return plain
