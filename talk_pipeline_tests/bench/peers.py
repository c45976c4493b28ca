"""The same comparison by what others use for it: a peer a process, in an environment without anything of ours.

`peers.py PEER FOLDER` reads `base`, `shop` and `bc` of the folder, finds which records differ, and prints what that
cost. Reading the files is not counted.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any


def polars(folder: Path) -> tuple[Any, Any]:
    """Three-way: each side against the base, property by property."""
    pl: Any = import_module("polars")

    base, shop, bc = (pl.read_parquet(folder / f"{name}.parquet") for name in ("base", "shop", "bc"))
    names = [name for name in base.columns if name != "id"]

    def compare() -> int:
        joined = base.lazy().join(shop.lazy(), on="id", suffix="_shop").join(bc.lazy(), on="id", suffix="_bc")
        edited = [
            pl.col(name).ne_missing(pl.col(f"{name}_{side}")) for name in names for side in ("shop", "bc")
        ]
        return int(joined.filter(pl.any_horizontal(edited)).collect().height)

    return compare, pl.__version__


def pandas(folder: Path) -> tuple[Any, Any]:
    """Three-way as well."""
    pd: Any = import_module("pandas")

    base, shop, bc = (pd.read_parquet(folder / f"{name}.parquet") for name in ("base", "shop", "bc"))
    names = [name for name in base.columns if name != "id"]

    def compare() -> int:
        joined = base.merge(shop, on="id", suffixes=("", "_shop")).merge(bc, on="id", suffixes=("", "_bc"))
        edited = pd.Series(data=False, index=joined.index)
        for name in names:
            for other in (joined[f"{name}_shop"], joined[f"{name}_bc"]):
                edited |= (joined[name] != other) & ~(joined[name].isna() & other.isna())
        return int(edited.sum())

    return compare, pd.__version__


def datacompy(folder: Path) -> tuple[Any, Any]:
    """Two-way, which is all it does: the two sides against each other."""
    dc: Any = import_module("datacompy")
    pd: Any = import_module("pandas")

    shop, bc = (pd.read_parquet(folder / f"{name}.parquet") for name in ("shop", "bc"))

    def compare() -> int:
        return len(dc.PandasCompare(shop, bc, join_columns="id").all_mismatch())

    return compare, dc.__version__


PEERS = {"polars": polars, "pandas": pandas, "datacompy": datacompy}


def main() -> None:
    """Runs one."""
    compare, version = PEERS[sys.argv[1]](Path(sys.argv[2]))
    wall, cpu = perf_counter(), process_time()
    found = compare()
    wall, cpu = perf_counter() - wall, process_time() - cpu
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    told = {
        "found": found,
        "seconds": wall,
        "cpu": cpu,
        "peak": int(peak.split()[1]) / 1024,
        "version": version,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
