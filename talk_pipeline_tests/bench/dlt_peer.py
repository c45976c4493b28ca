"""A shop's customers read by dlt's declarative source into DuckDB, in an environment without anything of ours.

`dlt_peer.py FOLDER URL` prints what that cost in CPU seconds, and how many rows came; imports are not counted.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any


def main() -> None:
    """Reads everything once."""
    folder, url = Path(sys.argv[1]), sys.argv[2]
    dlt: Any = import_module("dlt")
    rest: Any = import_module("dlt.sources.rest_api")
    began = process_time()
    endpoint = {
        "path": "customers",
        "params": {"limit": 500},
        "data_selector": "data",
        "paginator": {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "cursor"},
    }
    source = rest.rest_api_source(
        {"client": {"base_url": url}, "resources": [{"name": "customers", "endpoint": endpoint}]}
    )
    pipeline = dlt.pipeline(
        "customers",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="shop",
    )
    pipeline.run(source, loader_file_format="parquet")
    cost = process_time() - began
    with pipeline.sql_client() as client:
        rows = client.execute_sql("select count(*) from customers")[0][0]
    print(json.dumps({"cpu": cost, "rows": rows, "version": dlt.__version__}))


if __name__ == "__main__":
    main()
