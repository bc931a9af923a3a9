-- Imports into lists: what was taken of which file, so that each of its rows counts once.
-- depends: 0003_audiences

-- migrate: apply

CREATE TABLE imports (
    id            uuid PRIMARY KEY,
    audience      text NOT NULL,
    options       jsonb NOT NULL,
    started_at    timestamptz NOT NULL,
    chunks        integer,
    dropped       bigint NOT NULL DEFAULT 0,
    completed_at  timestamptz
);
CREATE INDEX imports_audience ON imports (audience, started_at);
CREATE INDEX imports_started ON imports (started_at);

-- A piece of the file that was taken, in one transaction with what it did.
CREATE TABLE import_chunks (
    import   uuid NOT NULL,
    number   integer NOT NULL,
    digest   bytea NOT NULL,
    created  integer NOT NULL DEFAULT 0,
    matched  integer NOT NULL DEFAULT 0,
    failed   integer NOT NULL DEFAULT 0,
    joined   integer NOT NULL DEFAULT 0,
    "left"   integer NOT NULL DEFAULT 0,
    flaws    jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (import, number)
);

-- Whom an import that replaces the list has named, until it is completed.
CREATE TABLE import_members (
    import    uuid NOT NULL,
    customer  uuid NOT NULL,
    PRIMARY KEY (import, customer)
);

-- migrate: rollback
