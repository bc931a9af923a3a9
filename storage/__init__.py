"""Postgres: all SQL is here, one file a noun. Functions take a connection and return models."""
