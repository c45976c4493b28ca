"""A shop that is its tables: what its own programs do to them, by hand."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from talk_pipeline_tests.systems.customwebshop.stores.templates import filled_in

SCHEMA = Path(__file__).with_name("shop.sql")
FORM = "%Y-%m-%d %H:%M:%S.%f"
SQLITE = {
    **{"serial": "integer", "number": "numeric", "truth": "boolean", "moment": "text", "true": "1"},
    "now": "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))",
}
POSTGRES = {
    **{"serial": "serial", "number": "numeric(12, 5)", "truth": "boolean", "moment": "timestamptz"},
    **{"true": "true", "now": "clock_timestamp()"},
}


class TableShop:
    """The tables of one shop, made anew."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url)
        words = SQLITE if self.engine.dialect.name == "sqlite" else POSTGRES
        text = SCHEMA.read_text(encoding="utf-8")
        for name, word in words.items():
            text = text.replace(f"{{{name}}}", word)
        with self.engine.begin() as db:
            for statement in filter(str.strip, text.partition("\n")[2].split(";")):
                db.exec_driver_sql(statement)

    def described(self, folder: Path, **instead: str) -> Path:
        """The template filled in for these tables; SQLite's have no type for moments."""
        times = {"modified: updated_at": f'times: "{FORM}"\nmodified: updated_at'}
        own = times if self.engine.dialect.name == "sqlite" else {}
        return filled_in("template-database.yaml", folder, name="Tables", instead=own | instead)

    def add(self, table: str, **values: Any) -> str:
        named, given = ", ".join(values), ", ".join(f":{name}" for name in values)
        statement = sa.text(f"insert into {table} ({named}) values ({given}) returning id")
        with self.engine.begin() as db:
            return str(db.execute(statement, values).scalar_one())

    def edit(self, table: str, record_id: str, **values: Any) -> None:
        if table != "order_lines":
            values |= {"updated_at": self.now()}
        sets = ", ".join(f"{name} = :{name}" for name in values)
        if table != "order_lines":
            sets += ", version = version + 1"
        with self.engine.begin() as db:
            db.execute(sa.text(f"update {table} set {sets} where id = :id"), values | {"id": int(record_id)})

    def delete(self, table: str, record_id: str) -> None:
        with self.engine.begin() as db:
            db.execute(sa.text(f"delete from {table} where id = :id"), {"id": int(record_id)})

    def all(self, table: str) -> dict[str, dict[str, Any]]:
        with self.engine.begin() as db:
            rows = db.execute(sa.text(f"select * from {table} order by id")).mappings().all()
        return {str(row["id"]): dict(row) for row in rows}

    def now(self) -> object:
        moment = datetime.now(UTC)
        return moment.strftime(FORM) if self.engine.dialect.name == "sqlite" else moment

    def let_time_pass(self) -> None:
        time.sleep(0.01)
