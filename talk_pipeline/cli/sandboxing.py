"""`talk-pipeline sandbox`: both systems as local servers, where the packages they need are installed."""

import sys
from typing import Any

from talk_pipeline.cli.exits import UsageError


def serve_sandbox(**options: Any) -> None:
    """Serves until stopped; the options are those of `talk_pipeline.sandbox.server.Sandbox`.

    Raises:
        UsageError: a package of the extra `sandbox` is missing, or the sandbox cannot start as asked.
    """
    try:
        from talk_pipeline.sandbox.errors import SandboxError
        from talk_pipeline.sandbox.server import serve
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.startswith("talk_pipeline"):
            raise
        raise UsageError(
            f"the sandbox needs the package {missing}, which is not installed; in the project's folder: "
            f"{sys.executable} -m pip install -e '.[sandbox]'"
        ) from error
    try:
        serve(**options)
    except SandboxError as error:
        raise UsageError(str(error)) from error
