"""The Business Central connector, against the sandbox and against servers that answer badly."""
