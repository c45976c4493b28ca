"""Standard streams that are closed, or that nobody reads any more: a command does and ends as with any other."""

import io
import os
import sys
from typing import Any, BinaryIO, cast


class _Unheeded(io.FileIO):
    """Says nothing more once whoever read is gone, such as `head`: Python would end with 1, a check that failed."""

    def write(self, data: Any, /) -> int:
        """As much as there was to say."""
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def settle() -> None:
    """Before any file is opened: one would take the number of a stream that is closed, and be told what is said."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for number, name in ((1, "stdout"), (2, "stderr")):
        before = getattr(sys, name)
        raw = _Unheeded(number, "w", closefd=False)
        stream = io.TextIOWrapper(
            cast(BinaryIO, io.BufferedWriter(cast(io.RawIOBase, raw))),
            encoding=before.encoding if before else "utf-8",
            errors=before.errors if before else None,
            line_buffering=before is None or before.line_buffering or before.write_through,
        )
        setattr(sys, name, stream)
