"""Facts about a state as a whole, by key."""

from talk_pipeline.engine.state.connection import Connection


def get_meta(db: Connection, key: str) -> str | None:
    """A fact about the state, if it is known."""
    row = db.execute("select value from meta where key = ?", [key]).fetchone()
    return str(row[0]) if row else None


def set_meta(db: Connection, key: str, value: str) -> None:
    """Keeps a fact about the state, inside the caller's transaction."""
    db.execute("insert or replace into meta (key, value) values (?, ?)", [key, value])


def joined_meta(db: Connection, keys: list[str]) -> str:
    """Several facts as one text, in the order of their keys."""
    query = "select string_agg(value, ' ' order by key) from meta where key in (select unnest(?::varchar[]))"
    row = db.execute(query, [keys]).fetchone()
    return str(row[0]) if row else ""


def known_systems(db: Connection) -> dict[str, str]:
    """Whose state it is: the two systems by name; empty where no run ever worked with it."""
    rows = db.execute("select key, value from meta where starts_with(key, 'system:')").fetchall()
    return {key.removeprefix("system:"): value for key, value in rows}
