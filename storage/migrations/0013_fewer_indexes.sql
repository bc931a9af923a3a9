-- Two indexes less to write for every instance and message: what they said, others say.
-- depends: 0008_broadcasts

-- migrate: apply

-- The id of an instance is made of its journey and of the event that it began with.
ALTER TABLE instances DROP CONSTRAINT instances_journey_entry_event_key;

-- The messages of an instance are among those of its customer.
DROP INDEX messages_instance;

-- migrate: rollback
CREATE INDEX messages_instance ON messages (instance);
ALTER TABLE instances ADD CONSTRAINT instances_journey_entry_event_key UNIQUE (journey, entry_event);
