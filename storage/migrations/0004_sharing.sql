-- Sharing: keys for browsers, shared attributes, and who is told of changes of audiences.
-- depends: 0003_audiences

-- migrate: apply

ALTER TABLE keys DROP CONSTRAINT keys_kind_check;
ALTER TABLE keys ADD CONSTRAINT keys_kind_check CHECK (kind IN ('write', 'admin', 'browser'));
ALTER TABLE keys ADD COLUMN id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();

ALTER TABLE installation ADD COLUMN shared_attributes text[] NOT NULL DEFAULT '{}';

-- What followers of the changes are told besides: an erased customer has left, whoever was merged
-- is in under more ids. Numbered with the changes; `ids` where they can no longer be looked up.
CREATE TABLE audience_notices (
    transaction  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq          bigint NOT NULL DEFAULT nextval('audience_changes_seq_seq'),
    at           timestamptz NOT NULL,
    audience     text NOT NULL,
    customer     uuid NOT NULL,
    joined       boolean NOT NULL,
    ids          jsonb,
    written_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (transaction, seq)
);
CREATE INDEX audience_notices_customer ON audience_notices (customer);

-- In the order of (transaction, seq), up to the oldest transaction under way.
CREATE VIEW audience_log AS
    SELECT transaction, seq, at, audience, customer, joined, NULL::jsonb AS ids FROM audience_changes
    UNION ALL
    SELECT transaction, seq, at, audience, customer, joined, ids FROM audience_notices;

-- Who is told, and how far it is: (transaction, seq) is the last that it was told.
CREATE TABLE subscriptions (
    id             uuid PRIMARY KEY,
    url            text NOT NULL,
    audiences      text[] NOT NULL,
    format         text NOT NULL CHECK (format IN ('standard', 'cloudevents')),
    secret         bytea NOT NULL,
    created_at     timestamptz NOT NULL,
    transaction    xid8 NOT NULL DEFAULT pg_snapshot_xmin(pg_current_snapshot()),
    seq            bigint NOT NULL DEFAULT 0,
    replays        integer NOT NULL DEFAULT 0,
    failures       integer NOT NULL DEFAULT 0,
    failing_since  timestamptz,
    retry_at       timestamptz NOT NULL DEFAULT '-infinity',
    error          text,
    stopped_at     timestamptz
);

-- What a subscriber did not take while it took others: the customer's later ones wait behind it.
CREATE TABLE subscription_retries (
    subscription  uuid NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    transaction   xid8 NOT NULL,
    seq           bigint NOT NULL,
    customer      uuid NOT NULL,
    attempts      integer NOT NULL DEFAULT 1,
    retry_at      timestamptz NOT NULL,
    since         timestamptz NOT NULL,
    PRIMARY KEY (subscription, transaction, seq)
);
CREATE INDEX subscription_retries_customer ON subscription_retries (customer);

-- migrate: rollback
