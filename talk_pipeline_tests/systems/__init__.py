"""The two connectors, and what every system must keep to."""
