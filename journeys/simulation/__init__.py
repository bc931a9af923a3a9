"""The parts of the simulated world: customers, passages, answers, and the reckoning at the end."""
