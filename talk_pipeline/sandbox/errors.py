"""The one error a person who starts a sandbox can meet."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox cannot start or go on; the text is one line that says what to do about it."""
