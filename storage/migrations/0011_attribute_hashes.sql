-- Customers by email and by phone, for imports that name them so.
-- depends: 0007_runs

-- migrate: apply

-- Hashes, since an attribute may be longer than an index can hold. Columns instead of indexes on
-- the expression: then only a new address writes to these, and not whatever else is learned.
ALTER TABLE customers
    ADD COLUMN email_hash bigint
        GENERATED ALWAYS AS (hashtextextended(attributes ->> 'email', 0)) STORED,
    ADD COLUMN phone_hash bigint
        GENERATED ALWAYS AS (hashtextextended(attributes ->> 'phone', 0)) STORED;
CREATE INDEX customers_email ON customers (email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX customers_phone ON customers (phone_hash) WHERE phone_hash IS NOT NULL;

-- migrate: rollback
