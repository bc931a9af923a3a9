-- The spine: customers, events, journeys, instances, trail and messages.
-- depends:

-- migrate: apply

-- One row: what every process of this installation must agree on.
CREATE TABLE installation (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    secret        bytea NOT NULL,
    clock_origin  timestamptz,
    clock_anchor  timestamptz,
    clock_scale   double precision,
    created_at    timestamptz NOT NULL
);

CREATE TABLE keys (
    hash        bytea PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('write', 'admin')),
    name        text NOT NULL,
    created_at  timestamptz NOT NULL
);

-- Customers -----------------------------------------------------------------

CREATE TABLE customers (
    id               uuid PRIMARY KEY,
    attributes       jsonb NOT NULL DEFAULT '{}',
    attribute_times  jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL,
    merged_into      uuid,
    erased_at        timestamptz
);
CREATE INDEX customers_merged_into ON customers (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE external_ids (
    kind       text NOT NULL,
    value      text NOT NULL,
    customer   uuid NOT NULL,
    linked_at  timestamptz NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX external_ids_customer ON external_ids (customer);

-- What remains of an erased customer: keyed hashes of the external ids.
CREATE TABLE tombstones (
    hash       bytea PRIMARY KEY,
    erased_at  timestamptz NOT NULL
);

-- What a customer does not want: topic '*' is every marketing message of the channel.
CREATE TABLE unsubscriptions (
    customer  uuid NOT NULL,
    channel   text NOT NULL,
    topic     text NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (customer, channel, topic)
);

-- Addresses that must not be written to again (hard bounce, complaint), as keyed hashes.
CREATE TABLE suppressions (
    channel  text NOT NULL,
    hash     bytea NOT NULL,
    reason   text NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (channel, hash)
);

-- Events ----------------------------------------------------------------------

CREATE TABLE events (
    id            uuid NOT NULL,
    received_at   timestamptz NOT NULL,
    occurred_at   timestamptz NOT NULL,
    kind          text NOT NULL,
    name          text NOT NULL,
    message_id    text NOT NULL,
    user_id       text,
    anonymous_id  text,
    customer      uuid,
    depth         smallint NOT NULL DEFAULT 0,
    properties    jsonb NOT NULL,
    context       jsonb NOT NULL,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX events_customer ON events (customer, name, occurred_at) WHERE customer IS NOT NULL;
CREATE TABLE events_default PARTITION OF events DEFAULT;

-- Which message ids were accepted: the id is made of the message id and is the event's own.
CREATE TABLE message_ids (
    id           uuid PRIMARY KEY,
    received_at  timestamptz NOT NULL
) PARTITION BY HASH (id);
CREATE TABLE message_ids_0 PARTITION OF message_ids FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE message_ids_1 PARTITION OF message_ids FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE message_ids_2 PARTITION OF message_ids FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE message_ids_3 PARTITION OF message_ids FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE INDEX message_ids_received_at ON message_ids USING brin (received_at);

-- Committed events that are not routed yet; routing an event ends with deleting its row.
CREATE TABLE inbox (
    seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event         uuid NOT NULL,
    received_at   timestamptz NOT NULL,
    shard         smallint NOT NULL,
    linked_shard  smallint,
    attempts      smallint NOT NULL DEFAULT 0,
    parked_until  timestamptz,
    error         text
);
CREATE INDEX inbox_shard ON inbox (shard, seq);

-- Journeys ----------------------------------------------------------------------

CREATE SEQUENCE journey_changes;

CREATE TABLE journeys (
    name        text PRIMARY KEY,
    changed     bigint NOT NULL DEFAULT nextval('journey_changes'),
    version     integer NOT NULL,
    closed_at   timestamptz,
    paused_at   timestamptz,
    stopped_at  timestamptz,
    created_at  timestamptz NOT NULL
);

CREATE TABLE journey_versions (
    journey       text NOT NULL,
    version       integer NOT NULL,
    hash          text NOT NULL,
    definition    jsonb NOT NULL,
    templates     jsonb NOT NULL,
    published_at  timestamptz NOT NULL,
    PRIMARY KEY (journey, version)
);

-- The authority on who is inside.
CREATE TABLE instances (
    id           uuid PRIMARY KEY,
    journey      text NOT NULL,
    version      integer NOT NULL,
    customer     uuid NOT NULL,
    key          text,
    workflow_id  text NOT NULL,
    entry_event  uuid NOT NULL,
    entry        jsonb NOT NULL,
    entered_at   timestamptz NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    started      boolean NOT NULL DEFAULT false,
    position     text,
    visit        integer NOT NULL DEFAULT 1,
    wait_visit   integer,
    wait_since   timestamptz,
    wait_until   timestamptz,
    nudge_event  uuid,
    nudge_visit  integer,
    nudge_exit   text,
    held         boolean NOT NULL DEFAULT false,
    ended_at     timestamptz,
    outcome      text,
    why          jsonb,
    goal_until   timestamptz,
    goal_at      timestamptz,
    goal_event   uuid,
    UNIQUE (journey, entry_event)
);
CREATE UNIQUE INDEX instances_inside ON instances (journey, customer, coalesce(key, ''))
    WHERE ended_at IS NULL;
CREATE INDEX instances_customer ON instances (customer, journey, entered_at);
CREATE INDEX instances_journey ON instances (journey, id);
CREATE INDEX instances_held ON instances (id) WHERE held AND ended_at IS NULL;
CREATE INDEX instances_workflow ON instances (workflow_id) WHERE ended_at IS NULL;
CREATE INDEX instances_unstarted ON instances (registered_at) WHERE NOT started AND ended_at IS NULL;

-- What happened: one row a visited step, with what was decided and by which values.
CREATE TABLE trail (
    entered_at  timestamptz NOT NULL,
    instance    uuid NOT NULL,
    visit       integer NOT NULL,
    step        text NOT NULL,
    at          timestamptz NOT NULL,
    left_at     timestamptz,
    exit        text,
    result      jsonb,
    why         jsonb,
    PRIMARY KEY (entered_at, instance, visit)
) PARTITION BY RANGE (entered_at);
CREATE TABLE trail_default PARTITION OF trail DEFAULT;

-- What did not happen: an event that could have entered a journey, woken or ended an instance, and why it did not.
CREATE TABLE refusals (
    at        timestamptz NOT NULL,
    event     uuid NOT NULL,
    journey   text NOT NULL,
    customer  uuid NOT NULL,
    reason    text NOT NULL,
    why       jsonb,
    PRIMARY KEY (at, event, journey)
) PARTITION BY RANGE (at);
CREATE INDEX refusals_customer ON refusals (customer, journey, at);
CREATE INDEX refusals_journey ON refusals (journey, at);
CREATE TABLE refusals_default PARTITION OF refusals DEFAULT;

-- The message ledger.
CREATE TABLE messages (
    id            uuid PRIMARY KEY,
    instance      uuid NOT NULL,
    customer      uuid NOT NULL,
    journey       text NOT NULL,
    step          text NOT NULL,
    visit         integer NOT NULL,
    channel       text NOT NULL,
    class         text NOT NULL,
    topic         text,
    guarantee     text NOT NULL,
    state         text NOT NULL CHECK (state IN
                  ('sending', 'deferred', 'accepted', 'refused', 'unknown', 'skipped')),
    reason        text,
    detail        text,
    attempt       uuid,
    attempts      integer NOT NULL DEFAULT 0,
    lease_until   timestamptz,
    provider      text,
    provider_id   text,
    at            timestamptz NOT NULL,
    settled_at    timestamptz
);
CREATE INDEX messages_customer ON messages (customer, at);
CREATE INDEX messages_journey ON messages (journey, id);
CREATE INDEX messages_instance ON messages (instance);

-- migrate: rollback
