"""Dagster's home: made once, before any process opens it.

Two processes that open a new home at the same moment fail, so set-up comes first; the command line opens the same
home, so that its runs show in the UI. Beside the settings lies what they were copied from: settings nobody edited
follow a newer release, edited ones stay.
"""

import hashlib
import logging
from pathlib import Path

import dagster as dg
from filelock import FileLock

TEMPLATE = Path(__file__).parent / "dagster.yaml"
# as shipped before the copy was kept beside the settings
FIRST_SHIPPED = "fb35d7ab0639a52ae427bad431070d73f724ab4363e370fb44bcb63b814573a5"

log = logging.getLogger(__name__)


def prepare_home(data_dir: Path) -> Path:
    """The home below the data folder, with its settings and its storage in place."""
    home = (data_dir / "dagster_home").resolve()
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "setup.lock"):
        new = not (home / "dagster.yaml").exists()
        _put_settings(home)
        if new:
            with dg.DagsterInstance.from_config(str(home)) as instance:
                instance.get_runs(limit=1)
    return home


def _put_settings(home: Path) -> None:
    settings, shipped = home / "dagster.yaml", home / "dagster.yaml.shipped"
    template = TEMPLATE.read_bytes()
    known = shipped.read_bytes() if shipped.exists() else None
    if known == template and settings.exists():
        return
    held = settings.read_bytes() if settings.exists() else None
    if held is None or held == known or hashlib.sha256(held).hexdigest() == FIRST_SHIPPED:
        settings.write_bytes(template)
    elif held != template:
        log.warning(
            "%s was edited and stays as it is, though this release ships other settings: compare it with %s",
            settings,
            shipped,
        )
    shipped.write_bytes(template)
