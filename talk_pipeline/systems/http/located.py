"""Where on a server a path is; whether a request may go there is for the client to say."""

from urllib.parse import urlsplit


def located(base: str, path: str) -> str:
    """A path as a whole address: below the base or, with `../`, beside it; a whole one as it is.

    One that begins with the path of the base is not below it once more: so links are told that begin at the root.
    """
    if path.startswith(("http://", "https://")):
        return path
    here = urlsplit(base)
    if here.path and path.startswith(f"{here.path}/"):
        return f"{here.scheme}://{here.netloc}{path}"
    return f"{base.rpartition('/')[0] if path.startswith('../') else base}{path.removeprefix('..')}"
