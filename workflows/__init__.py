"""One durable instance: the walk of a journey on Temporal's timers, signals and activities."""
