"""Runs the benchmarks named on the command line, by default all but the long ones."""

import json
import os
import sys
import tempfile
from pathlib import Path

from talk_pipeline_tests.bench import (
    applications,
    daemon,
    day,
    engine,
    first_sync,
    growth,
    idle,
    keys,
    landing,
    orders,
    throughput,
    writes,
)
from talk_pipeline_tests.bench.result import Result

BENCHMARKS = {
    "growth": growth.run,
    "idle": idle.run,
    "idle_large": idle.run_large,
    "writes": writes.run,
    "engine": engine.run,
    "orders": orders.run,
    "keys": keys.run,
    "landing": landing.run,
    "throughput": throughput.run,
    "applications": applications.run,
    "daemon": daemon.run,
    "first_sync": first_sync.run,
    "day": day.run,
}
LONG = ("day", "idle_large", "first_sync")
"""Those that are run by name alone."""


def main() -> None:
    """Runs, prints, and keeps the results beside earlier ones."""
    names = sys.argv[1:] or [name for name in BENCHMARKS if name not in LONG]
    file = Path(os.environ.get("TALK_DATA_DIR", "data")) / "bench.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    for name in names:
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            results: dict[str, Result] = BENCHMARKS[name](Path(folder))
        kept |= {key: result.as_json() for key, result in results.items()}
        for key, result in results.items():
            print(
                f"{key}: {result.value:.3g} {result.unit} (target {result.target:g}, {result.better} is better)"
            )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
