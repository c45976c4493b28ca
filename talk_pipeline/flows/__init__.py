"""Declarations: what corresponds to what. One YAML file a flow, and the vocabulary it is written in.

Nothing here knows DuckDB, HTTP or Dagster, and nothing here acts.
"""
