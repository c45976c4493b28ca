"""Keeps a web shop and Business Central in step, as a Dagster asset pipeline."""
