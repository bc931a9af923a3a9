-- Whole audiences: what happened by name and time, and fewer indexes to keep while members are written down.
-- depends: 0003_audiences

-- migrate: apply

-- `received_at` lies beside because windows ask for it, to leave partitions out.
CREATE INDEX events_name ON events (name, occurred_at) INCLUDE (customer, received_at)
    WHERE customer IS NOT NULL;

-- Nobody looks a change up by its number alone, and changes lie in the order of their time.
ALTER TABLE audience_changes DROP CONSTRAINT audience_changes_pkey;
CREATE INDEX audience_changes_at ON audience_changes USING brin (at) WITH (pages_per_range = 32);

-- migrate: rollback
