-- Runs: journeys that groups of customers enter, page by page.
-- depends: 0003_audiences

-- migrate: apply

-- Since when a journey takes entries without a break: what a schedule missed before is not made up.
ALTER TABLE journeys ADD COLUMN enters_since timestamptz;

-- An event about the business that enters everybody who qualifies.
CREATE TABLE business_events (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    message_id   text NOT NULL,
    occurred_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    properties   jsonb NOT NULL
);

CREATE TABLE runs (
    id             uuid PRIMARY KEY,
    journey        text NOT NULL,
    version        integer NOT NULL,
    workflow_id    text NOT NULL,
    cause          text NOT NULL CHECK (cause IN ('schedule', 'date', 'event', 'request')),
    audience       text,
    scheduled_for  timestamptz NOT NULL,
    event          uuid,  -- about the business
    entry          jsonb NOT NULL,
    -- Who counts as new: joined by a transaction in [new_since, new_until).
    new_since      xid8,
    new_until      xid8,
    state          text NOT NULL CHECK (state IN ('running', 'paused', 'cancelled', 'done')),
    held           boolean NOT NULL DEFAULT false,
    -- How far it is: the customer it came to last, and where it goes by each customer's own clock
    -- the instant at which it was its time there.
    leg            timestamptz,
    cursor         uuid,
    expected       bigint,
    reached        bigint NOT NULL DEFAULT 0,
    entered        bigint NOT NULL DEFAULT 0,
    refused        bigint NOT NULL DEFAULT 0,
    why            text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    resumed_at     timestamptz,
    ended_at       timestamptz
);
CREATE INDEX runs_journey ON runs (journey, scheduled_for DESC, id);
CREATE INDEX runs_event ON runs (event) WHERE event IS NOT NULL;
CREATE INDEX runs_open ON runs (id) WHERE ended_at IS NULL;

-- The run that entered an instance, or did not: those have no event of the customer's.
ALTER TABLE instances ADD COLUMN run uuid;
CREATE INDEX instances_run_unstarted ON instances (run)
    WHERE run IS NOT NULL AND NOT started AND ended_at IS NULL;
ALTER TABLE refusals ADD COLUMN run uuid;

-- migrate: rollback
