-- Audiences: who is in which group, since when and why.
-- depends: 0001_spine

-- migrate: apply

CREATE SEQUENCE audience_news;

CREATE TABLE audiences (
    name          text PRIMARY KEY,
    changed       bigint NOT NULL DEFAULT nextval('audience_news'),
    version       integer NOT NULL,
    kind          text NOT NULL,
    shared        boolean NOT NULL,
    ready_at      timestamptz,
    evaluated_at  timestamptz,
    swept_version integer,
    deleted_at    timestamptz,
    created_at    timestamptz NOT NULL
);

CREATE TABLE audience_versions (
    audience      text NOT NULL,
    version       integer NOT NULL,
    hash          text NOT NULL,
    definition    jsonb NOT NULL,
    published_at  timestamptz NOT NULL,
    PRIMARY KEY (audience, version)
);

-- Who is in now. The part `a` of `pilot` is the audience `pilot/a`.
CREATE TABLE audience_members (
    audience   text NOT NULL,
    customer   uuid NOT NULL,
    joined_at  timestamptz NOT NULL,
    why        jsonb,
    PRIMARY KEY (audience, customer)
);
CREATE INDEX audience_members_customer ON audience_members (customer);

-- Who joined and left, and why. Readers that follow it go by (transaction, seq) up to the oldest
-- transaction under way, so that nothing which commits late is passed over.
CREATE TABLE audience_changes (
    at           timestamptz NOT NULL,
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    transaction  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    audience     text NOT NULL,
    customer     uuid NOT NULL,
    joined       boolean NOT NULL,
    why          jsonb,
    PRIMARY KEY (at, seq)
) PARTITION BY RANGE (at);
CREATE INDEX audience_changes_audience ON audience_changes (audience, at);
CREATE INDEX audience_changes_customer ON audience_changes (customer, at);
CREATE INDEX audience_changes_order ON audience_changes (transaction, seq);
CREATE TABLE audience_changes_default PARTITION OF audience_changes DEFAULT;

-- When time alone may change an audience for a customer, at the earliest.
CREATE TABLE audience_checks (
    customer  uuid PRIMARY KEY,
    at        timestamptz NOT NULL
);
CREATE INDEX audience_checks_at ON audience_checks (at);

-- Customers of whom something changed that these audiences look at.
CREATE TABLE audience_queue (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer   uuid NOT NULL,
    audiences  text[] NOT NULL,
    event      uuid,
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);

-- migrate: rollback
