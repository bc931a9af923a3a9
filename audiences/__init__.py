"""Audiences: what a group is, read from files and checked; pure."""
