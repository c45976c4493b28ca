"""The sync engine over DuckDB. Its folders stand in the order of the data, and each uses those before it only.

state -> snapshot -> match -> plan -> apply -> manual -> report. `model` and `kinds` are what they all share.

Pure: it knows flows and DuckDB, and neither HTTP nor Dagster. It names no flow and no property; whatever it
does to one it reads from the flow's declaration.
"""
