"""The tracking protocols, Segment's and its relatives' and CloudEvents: from bytes to events.

No pydantic here: this is the hot path, and one bad item must not spoil its batch. The routes are
left to `api.routes`.
"""
