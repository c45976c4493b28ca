"""What goes on while a command runs, on standard error."""

import logging
import sys
from typing import TextIO

from talk_pipeline.redaction import redact_logs


def show_progress() -> None:
    """Shows what the pipeline itself tells, without secrets."""
    redact_logs()
    logging.basicConfig(handlers=[_Progress(sys.stderr)], level=logging.WARNING)
    logging.getLogger("talk_pipeline").setLevel(logging.INFO)


class _Progress(logging.StreamHandler[TextIO]):
    """What goes on, without what Dagster puts before it within a run."""

    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        return str(meta.get("orig_message") or record.getMessage())
