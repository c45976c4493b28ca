"""The code location: graph, checks, jobs, sensors."""
