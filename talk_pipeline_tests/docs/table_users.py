"""Which room of the engine writes and reads which table of the state, as its SQL and its rows say."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from talk_pipeline.engine.snapshot.projection import Projected
from talk_pipeline.engine.state import tables
from talk_pipeline.engine.state.migrations import FOLDER, TABLES, VIEWS
from talk_pipeline.engine.state.rows import Row

ENGINE = FOLDER.parent
ROWS = {
    kind.__name__: kind.TABLE
    for kind in (*vars(tables).values(), Projected)
    if isinstance(kind, type) and issubclass(kind, Row) and kind is not Row
}
_CREATED = re.compile(r"^create (?:table if not exists|or replace view) (\w+)", re.M)
NAMES = [*_CREATED.findall(TABLES), *_CREATED.findall(VIEWS)]
# those that know every table without meaning any: the declarations, and what makes the tables
NO_USERS = {"tables.py", "migrations.py"}


@dataclass(frozen=True, slots=True)
class Users:
    """Rooms of the engine, by what they do with a table."""

    write: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)


def users() -> dict[str, Users]:
    """Of every table and view: who adds or changes rows, and who asks for them; deleting is left out."""
    found = {name: Users() for name in NAMES}
    for file in ENGINE.rglob("*.py"):
        if file.name in NO_USERS:
            continue
        room = file.relative_to(ENGINE).parts[0]
        for name, writes in _uses(file):
            if name in found:
                (found[name].write if writes else found[name].read).add(room)
    return found


def _uses(file: Path) -> Iterator[tuple[str, bool]]:
    """Names a module uses, and whether it writes there; among them may be such that are no table's."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Constant(value=str(text)):
                sql = re.sub(r"--.*", "", text)
                for name in re.findall(r"(?:insert(?: or replace)? into|update) (\w+)", sql):
                    yield name, True
                for name in re.findall(r"(?<!delete )(?:from|join) (\w+)", sql):
                    yield name, False
            case ast.Call(func=ast.Name(id=name)) if name in ROWS:
                yield ROWS[name], True
            case ast.Call(func=ast.Name(id="insert_columns"), args=[_, ast.Constant(value=str(name)), *_]):
                yield name, True
            case ast.Call(func=ast.Name(id="select"), args=[_, ast.Name(id=name), *_]) if name in ROWS:
                yield ROWS[name], False
