"""`talk-pipeline sandbox`: both systems as local servers, where the packages they need are installed."""

import sys
from pathlib import Path

from talk_pipeline.cli.exits import UsageError


def serve_sandbox(
    *, state: Path | None, size: int | None, seed: int, port_shop: int, port_bc: int, shop_profile: str
) -> None:
    """Serves until stopped; the arguments are those of `talk_pipeline.sandbox.server.serve`.

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
        serve(
            state=state,
            size=size,
            seed=seed,
            port_shop=port_shop,
            port_bc=port_bc,
            shop_profile=shop_profile,
        )
    except SandboxError as error:
        raise UsageError(str(error)) from error
