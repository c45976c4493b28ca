"""The state of one company: its DuckDB file, the tables in it, and who may write."""
