"""What an event does once it is accepted: whose it is, what it wakes, ends and starts."""
