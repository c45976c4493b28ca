"""Several machines: real Postgres, real Redis, real workers. `make test-scale`."""
