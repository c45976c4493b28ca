"""The document as one HTML page that needs nothing from outside, on a phone, on paper and without scripts."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from talk_pipeline.cli.document.tree import Document, Section
from talk_pipeline.engine.report.sheet import WORDS


def written(document: Document) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("talk_pipeline.cli"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["verdicts"] = _verdicts
    return environment.get_template("dataflow.html.j2").render(document=document)


def _verdicts(section: Section) -> str:
    """How many checks of a section have which verdict."""
    return ", ".join(f"{section.counted(word)} {word}" for word in WORDS if section.counted(word))
