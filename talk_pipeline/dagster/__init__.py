"""The Dagster layer: assets, checks, jobs, sensors. It knows everything below and has no rule of its own."""
