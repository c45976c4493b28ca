"""The descriptions that `new-connector` writes, filled in for a shop of the tests."""

from collections.abc import Mapping
from pathlib import Path

from talk_pipeline_tests.flow_files import replaced

PACKAGED = Path(__file__).parents[4] / "talk_pipeline/systems/customwebshop"


def filled_in(template: str, folder: Path, *, name: str, instead: Mapping[str, str]) -> Path:
    """A template with other words in the place of some, each of which has to be there."""
    words = {"{file}": "shop.yaml", "{name}": name, **instead}
    file = folder / "shop.yaml"
    text = (PACKAGED / template).read_text(encoding="utf-8")
    file.write_text(replaced(text, *words.items()), encoding="utf-8")
    return file
