"""The whole pipeline: real Dagster runs over real HTTP between two sandboxes."""
