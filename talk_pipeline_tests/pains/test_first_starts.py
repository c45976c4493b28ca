"""A first start that ends early: the next one begins anew, and nothing has to be moved away by hand."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.meta import get_meta
from talk_pipeline.engine.state.migrations import SCHEMA_VERSION

pytestmark = pytest.mark.optimized  # files as users have them

_BEGINS = """
import resource, signal, sys
from pathlib import Path
import duckdb
from talk_pipeline.engine.state.database import FILE, State
folder, end, begun, size = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "True", int(sys.argv[4])
if begun:
    duckdb.connect(str(folder / FILE)).close()
if end == "killed":
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
with State(folder).once():
    pass
"""


@pytest.mark.parametrize("end", ["killed", "without room"])
@pytest.mark.parametrize("size", [100, 600, 2_000, 6_000, 20_000])
def test_a_first_start_that_ends_among_its_tables_is_begun_anew(tmp_path: Path, end: str, size: int) -> None:
    """As soon as more than so many bytes are to be written of what it begins with."""
    _ends(tmp_path, end, size, begun=True)
    with State(tmp_path).once() as db:
        assert get_meta(db, "schema") == SCHEMA_VERSION


@pytest.mark.parametrize("size", [0, 6_000, 13_000, 20_000, 100_000])
def test_a_first_start_without_room_for_its_file_is_begun_anew(tmp_path: Path, size: int) -> None:
    _ends(tmp_path, "without room", size, begun=False)
    with State(tmp_path).once() as db:
        assert get_meta(db, "schema") == SCHEMA_VERSION


def _ends(folder: Path, end: str, size: int, *, begun: bool) -> None:
    command = [sys.executable, "-c", _BEGINS, str(folder), end, str(begun), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == (-signal.SIGXFSZ if end == "killed" else 1), done.stderr
