"""The engine, on real DuckDB files."""
