"""What goes on while a command runs, on standard error."""

import logging
import sys
from contextlib import suppress
from typing import TextIO

from talk_pipeline.cli.terminal import visible
from talk_pipeline.logs import tell_in_json
from talk_pipeline.redaction import redact_logs
from talk_pipeline.settings import Settings, SettingsError


def show_progress() -> None:
    """Shows what the pipeline itself tells, without secrets."""
    redact_logs()
    with suppress(SettingsError):  # the command tells what is wrong with them
        if Settings.load().talk_logs == "json":
            tell_in_json()
    logging.basicConfig(handlers=[_Progress(sys.stderr)], level=logging.WARNING)
    logging.getLogger("talk_pipeline").setLevel(logging.INFO)


class _Progress(logging.StreamHandler[TextIO]):
    """What goes on, without what Dagster puts before it within a run."""

    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        return visible(str(meta.get("orig_message") or record.getMessage()))
