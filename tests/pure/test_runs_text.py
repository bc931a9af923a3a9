"""What the commands say of runs."""

from typing import Any

from cli.runs import lines, said

RUN: dict[str, Any] = {
    "id": "0d2c7a3e-5f0b-5d0a-9c1e-8a2f5be1c001",
    "journey": "win-back",
    "scheduled_for": "2026-11-23T08:00:00Z",
    "cause": "schedule",
    "audience": "loyal",
    "state": "running",
    "is_held": False,
    "expected": 20_000,
    "reached": 12_719,
    "entered": 12_408,
    "refused": 311,
    "why": None,
}


def test_runs_are_a_table_with_progress() -> None:
    late = {**RUN, "state": "cancelled", "why": "missed", "expected": None, "audience": None}
    waiting = {**RUN, "is_held": True}

    _, first, second, third = (line.split() for line in lines("win-back", [RUN, late, waiting]))

    assert first[3:] == ["schedule", "loyal", "running", "64", "%", "12,408", "311"]
    assert second[3:] == ["schedule", "everybody", "cancelled", "12,719", "12,408", "311", "missed"]
    assert third[5] == "waiting"


def test_without_a_run_it_says_how_to_begin_one() -> None:
    assert "`parcours run start win-back`" in next(lines("win-back", []))
    assert said(RUN).endswith("is running: 12,719 reached, 12,408 entered")
