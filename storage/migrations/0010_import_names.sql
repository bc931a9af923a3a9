-- What people call an imported file: its members' reasons name it.
-- depends: 0007_runs

-- migrate: apply

ALTER TABLE imports ADD COLUMN name text;

-- migrate: rollback
