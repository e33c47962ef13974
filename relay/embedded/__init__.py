"""Real Postgres, Redis and S3 in one process tree, for a laptop and for tests."""
