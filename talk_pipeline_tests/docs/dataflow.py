"""The specification of the packaged flows, as the document of the family: what must hold, without results."""

import re
from datetime import UTC, datetime
from pathlib import Path

from talk_pipeline.cli.document import building, rst
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline_tests.flow_files import flows_in

_GENERATED = re.compile(r"^Generated: (.+)$", re.MULTILINE)


def dataflow(file: Path) -> str:
    """The text; while the file says the same already, with the time it was generated at."""
    if file.exists():
        said = file.read_text(encoding="utf-8")
        at = _GENERATED.search(said)
        if at and (text := _at(datetime.fromisoformat(at[1]))) == said:
            return text
    return _at(datetime.now(UTC))


def _at(moment: datetime) -> str:
    return rst.written(building.specification(flows_in(), load_entities(), generated_at=moment))
