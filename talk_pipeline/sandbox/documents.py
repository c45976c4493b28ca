"""The YAML files that lie beside the code, read with the fast parser where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """The document in a file."""
    return yaml.load(path.read_text("utf-8"), Loader=_Loader)
