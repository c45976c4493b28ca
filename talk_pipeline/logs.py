"""Logs as lines of JSON, each with what it is about: the run, the company, the flow, the record.

Whoever begins a piece of work says what it is about; whatever is logged within it has that, whoever logs it.
Written records have a logger of their own, which says nothing but where logs are JSON: a line a record would drown
a terminal, and Dagster's event log.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TextIO

RECORDS = logging.getLogger("talk_records")
"""What was written of each record: its id and what came of it, never a value."""

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def about(**words: str | None) -> Iterator[None]:
    """While work is about these: `run`, `company`, `flow`, `record`."""
    token = _about.set({**_about.get(), **{name: word for name, word in words.items() if word}})
    try:
        yield
    finally:
        _about.reset(token)


class JsonLine(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Within a run Dagster puts words before a message, and knows the run."""
        meta = getattr(record, "dagster_meta", {})
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": str(meta.get("orig_message") or record.getMessage()),
            **({"run": meta["run_id"]} if meta.get("run_id") else {}),
            **_about.get(),
        }
        if record.exc_info:
            line["trace"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class JsonLines(logging.StreamHandler[TextIO]):
    """Writes them to standard error, wherever that is at the moment."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLine())

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one."""
        self.stream = sys.stderr
        super().emit(record)


def tell_in_json() -> None:
    """From now on what the pipeline logs is told so, and each written record has its line."""
    for logger in (RECORDS, logging.getLogger("talk_pipeline")):
        if not any(isinstance(one, JsonLines) for one in logger.handlers):
            logger.addHandler(JsonLines())
        logger.setLevel(logging.INFO)
        logger.propagate = False
