"""The sync engine over DuckDB: snapshots, links, three-way diffs, journal, guards, checklist.

Pure: it knows flows and DuckDB, and neither HTTP nor Dagster. It names no flow and no property; whatever it
does to one it reads from the flow's declaration.
"""
