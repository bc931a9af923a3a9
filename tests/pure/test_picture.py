"""A journey in words and as a Mermaid flowchart."""

from journeys.definition import Journey
from journeys.picture import mermaid, outline

JOURNEY = Journey.model_validate({
    "journey": "renewal",
    "entry": {"event": "Plan Bought", "when": "event.plan != 'free'", "reentry": {"after": "30d"}},
    "exits": [{"event": "Plan Cancelled"}],
    "goal": {"event": "Plan Renewed", "within": "60d"},
    "steps": [
        {"id": "near", "kind": "wait", "date": {"attribute": "renewal", "before": "14d"}},
        {"id": "style", "kind": "send", "channel": "sms", "template": "soon", "then": "heard"},
        {"id": "skipped", "kind": "end"},
        {"id": "heard", "kind": "wait_for", "timeout": "1d",
         "events": {"answered": {"event": "Message Clicked", "of": "style"}},
         "then": {"timed_out": "heard"}},
        {"id": "halves", "kind": "split", "paths": {"a": 12.5, "b": 87.5}, "then": {"a": "end"}},
        {"id": "tell", "kind": "emit", "event": 'Renewal "<near>"'},
    ],
})  # fmt: skip


def test_an_outline_says_the_rules_the_steps_and_where_exits_lead_elsewhere() -> None:
    assert outline(JOURNEY).splitlines() == [
        "renewal (marketing, at most once)",
        "  enter  Plan Bought when event.plan != 'free'; again 30d after the last entry",
        "  exit   Plan Cancelled",
        "  goal   Plan Renewed, within 60d",
        "  1  near     wait until 14d before customer.renewal",
        "  2  style    send sms soon",
        "              sent → heard",
        "              not_sent → heard",
        "  3  skipped  end",
        "  4  heard    wait up to 1d",
        "              answered → halves: Message Clicked of style",
        "              timed_out → heard",
        "  5  halves   split",
        "              a → end: 12.5 %",
        "              b → tell: 87.5 %",
        '  6  tell     emit Renewal "<near>"',
    ]


def test_a_picture_has_every_step_and_names_exits_where_ways_part() -> None:
    drawn = mermaid(JOURNEY).splitlines()

    assert drawn[0] == "flowchart TD"
    assert '    s_heard -->|"timed_out"| s_heard' in drawn
    assert '    s_halves -->|"a"| finish' in drawn
    assert "    s_style --> s_heard" in drawn
    assert '    s_tell["tell: emit Renewal #quot;#lt;near>#quot;"]' in drawn
    assert sum(line.startswith("    s_") and "--" not in line for line in drawn) == 6
