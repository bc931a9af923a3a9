-- Broadcasts: instances that a run's pages take through their journey, without a workflow of their own.
-- depends: 0007_runs

-- migrate: apply

ALTER TABLE instances ADD COLUMN paged boolean NOT NULL DEFAULT false;
CREATE INDEX instances_paged ON instances (run, id) WHERE paged AND ended_at IS NULL;

-- The others are found by their workflow.
DROP INDEX instances_workflow;
CREATE INDEX instances_workflow ON instances (workflow_id) WHERE ended_at IS NULL AND NOT paged;

-- For what is recent: a message whose sender died.
CREATE INDEX messages_at ON messages USING brin (at) WITH (pages_per_range = 32);

-- A message is written twice, before and after it is sent: room for the second row beside the first
-- keeps the indexes as they are.
ALTER TABLE messages SET (fillfactor = 60);

-- migrate: rollback
