"""Dagster's home: made once, before any process opens it.

Two processes that open a new home at the same moment fail, so set-up comes first; the command line opens the same
home, so that its runs show in the UI.
"""

import shutil
from pathlib import Path

import dagster as dg
from filelock import FileLock

TEMPLATE = Path(__file__).parent / "dagster.yaml"


def prepare_home(data_dir: Path) -> Path:
    """The home below the data folder, with its settings and its storage in place."""
    home = (data_dir / "dagster_home").resolve()
    settings = home / "dagster.yaml"
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "setup.lock"):
        if not settings.exists():
            shutil.copy(TEMPLATE, settings)
            with dg.DagsterInstance.from_config(str(home)) as instance:
                instance.get_runs(limit=1)
    return home
