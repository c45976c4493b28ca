"""`talk-pipeline new-connector`: a description to start from."""

from pathlib import Path

from talk_pipeline.disks import written_to
from talk_pipeline.pieces import put
from talk_pipeline.settings import SettingsError
from talk_pipeline.systems.customwebshop.spec import schema

TEMPLATE = schema.FILE.parent / "template.yaml"
OF_A_DATABASE = schema.FILE.parent / "template-database.yaml"
OF_FILES = schema.FILE.parent / "template-files.yaml"


def new_connector(name: str, *, template: Path = TEMPLATE) -> Path:
    """Writes NAME.yaml into the current folder.

    Args:
        name: of the shop.
        template: what to start from, by the kind of door that the shop has.

    Raises:
        SettingsError: there is such a file already, or the name is no name of a file.
    """
    if not name or Path(name).name != name:
        raise SettingsError(f"{name!r} is no name; write one such as myshop, without a folder")
    file = Path(f"{name.removesuffix('.yaml')}.yaml")
    text = template.read_text(encoding="utf-8")
    text = text.replace("$schema=connector.schema.json", f"$schema={schema.FILE}")
    text = text.replace("{file}", file.name).replace("{name}", file.stem)
    if file.exists() or file.is_symlink():
        raise SettingsError(f"{file} is there already; choose another name or move it away")
    with written_to(file):
        put(file, text.encode())
    return file
