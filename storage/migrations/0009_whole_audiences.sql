-- Whole audiences: what happened by name and time, and fewer indexes to keep while members are written down.
-- depends: 0003_audiences

-- migrate: apply

-- `received_at` lies beside because windows ask for it, to leave partitions out.
CREATE INDEX events_name ON events (name, occurred_at) INCLUDE (customer, received_at)
    WHERE customer IS NOT NULL;

-- Nobody looks a change up by its number alone, and changes lie in the order of their time.
ALTER TABLE audience_changes DROP CONSTRAINT audience_changes_pkey;
CREATE INDEX audience_changes_at ON audience_changes USING brin (at) WITH (pages_per_range = 32);

-- A number of JSON as it is written, NULL where it is none.
CREATE FUNCTION condition_number(j jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(j) = 'number' THEN j::numeric END
$$;

-- The same, whole ones beyond 2^53 as the doubles that they are to CEL.
CREATE FUNCTION condition_decimal(n numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN abs(n) < 9007199254740992 THEN n ELSE n::float8::text::numeric END
$$;

-- A number in hundredths, NULL where it is not a whole one of them or a large one: a sum of integers is as
-- exact, and for each of a million customers a sum of numeric has to be kept in memory of its own.
CREATE FUNCTION condition_hundredths(n numeric) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN scale(n) <= 2 AND n BETWEEN -21474836 AND 21474836 THEN (n * 100)::integer END
$$;

-- migrate: rollback
