"""Real servers beside us when none is configured: Postgres, Temporal and our own processes."""
