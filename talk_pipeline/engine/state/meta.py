"""Facts about a state as a whole, by key."""

from talk_pipeline.engine.state.connection import Connection

_TABLES = "select table_name from duckdb_tables() where database_name = current_database() order by 1"


def get_meta(db: Connection, key: str) -> str | None:
    """A fact about the state, if it is known."""
    return db.facts.get(key)


def set_meta(db: Connection, key: str, value: str) -> None:
    """Keeps a fact about the state, inside the caller's transaction."""
    facts = db.facts
    if facts.get(key) == value:
        return
    # five times as fast as one statement that does either
    if key in facts:
        db.execute("update meta set value = ? where key = ?", [value, key])
    else:
        db.execute("insert into meta (key, value) values (?, ?)", [key, value])
    db.facts = {**facts, key: value}


def forget_meta(db: Connection, key: str) -> None:
    """Keeps a fact no longer, inside the caller's transaction."""
    facts = db.facts
    if key in facts:
        db.execute("delete from meta where key = ?", [key])
        db.facts = {name: value for name, value in facts.items() if name != key}


def joined_meta(db: Connection, keys: list[str]) -> str:
    """Several facts as one text, in the order of their keys."""
    facts = db.facts
    return " ".join(facts[key] for key in sorted({*keys} & facts.keys()))


def read_in_full(db: Connection) -> None:
    """Has the next run read everything: what it knows is older than what it last read."""
    db.execute("update watermark set full_at = null")


def tables_of(db: Connection) -> list[str]:
    """The tables of whatever database lies there, by name."""
    return [row[0] for row in db.execute(_TABLES).fetchall()]


def know_system(db: Connection, name: str, value: str) -> None:
    """Keeps which system of that name it is of, inside the caller's transaction."""
    set_meta(db, f"system:{name}", value)


def known_systems(db: Connection) -> dict[str, str]:
    """Whose state it is: the two systems by name; empty where no run ever worked with it."""
    named = "system:"
    return {key.removeprefix(named): value for key, value in db.facts.items() if key.startswith(named)}


def systems_of_any(db: Connection) -> dict[str, str]:
    """The same of whatever database lies there: empty where it is no state."""
    return known_systems(db) if "meta" in tables_of(db) else {}
