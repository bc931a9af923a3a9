-- Joinings: who joins by the hundred thousand is written once, and its change is written when it ends.
-- depends: 0004_sharing 0012_members_of

-- migrate: apply

-- Where these are given, the row is the joining as well, and `audience_changes` does not have it:
-- whoever deletes the row, or gives it another time, writes it there. They are those of that change.
ALTER TABLE audience_members ADD COLUMN transaction xid8, ADD COLUMN seq bigint;
CREATE INDEX audience_members_order ON audience_members (transaction, seq)
    WHERE transaction IS NOT NULL;

-- Every joining and leaving, wherever it is written. Members' rows that are no joinings have no
-- transaction here: whoever reads leaves them out, as a condition here would keep Postgres from
-- reading all in the order of an index.
CREATE VIEW audience_history AS
    SELECT at, seq, transaction, audience, customer, joined, why FROM audience_changes
    UNION ALL
    SELECT joined_at, seq, transaction, audience, customer, true, why FROM audience_members;

CREATE OR REPLACE VIEW audience_log AS
    SELECT transaction, seq, at, audience, customer, joined, NULL::jsonb AS ids FROM audience_history
    UNION ALL
    SELECT transaction, seq, at, audience, customer, joined, ids FROM audience_notices;

-- migrate: rollback
