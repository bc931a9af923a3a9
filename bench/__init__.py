"""Measurements; each prints a table and answers with its figures."""
