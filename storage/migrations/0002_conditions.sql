-- What conditions that are compiled to SQL need: functions that are NULL where CEL errs, and never raise.
-- depends: 0001_spine

-- migrate: apply

-- Times -----------------------------------------------------------------------

-- What CEL's timestamp() reads beside the usual way of RFC 3339: short fields, offsets without a colon, a 60th second.
CREATE FUNCTION condition_unusual_time(said text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    p text[] := regexp_match(said, '^[ \t\n\v\f\r]*0*([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})?(?::?([0-9]{2}))?)[ \t\n\v\f\r]*$');
    y integer; mo integer; d integer; at timestamp; off interval;
BEGIN
    IF p IS NULL THEN RETURN NULL; END IF;
    y := p[1]; mo := p[2]; d := p[3];
    IF y < 1 OR mo NOT BETWEEN 1 AND 12 OR d < 1 OR p[4]::int > 23 OR p[5]::int > 59 OR p[6]::int > 60
        OR p[9]::int > 23 OR p[10]::int > 59 OR p[11]::int > 59 THEN
        RETURN NULL;
    END IF;
    IF d > extract(day FROM make_date(y, mo, 1) + interval '1 month' - interval '1 day') THEN RETURN NULL; END IF;
    at := make_timestamp(y, mo, d, p[4]::int, p[5]::int, 0)
        + make_interval(secs => p[6]::int) + substr(rpad(coalesce(p[7], ''), 6, '0'), 1, 6)::int * interval '1 microsecond';
    off := make_interval(0, 0, 0, 0, coalesce(p[9], '0')::int, coalesce(p[10], '0')::int, coalesce(p[11], '0')::int);
    at := CASE WHEN p[8] = '-' THEN at + off ELSE at - off END;
    RETURN CASE WHEN at BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999' THEN at AT TIME ZONE 'UTC' END;
END $$;

-- STABLE although it always gives the same, so that it is taken into the statement. Up to microseconds.
CREATE FUNCTION condition_time(said text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN said ~ '^(?:1[0-9]|2[0-9])[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$'
        THEN said::timestamptz ELSE condition_unusual_time(said) END
$$;

-- Numbers ---------------------------------------------------------------------

-- A sum as the nearest double. Beyond the largest one it is infinite, below the smallest one it is 0.
CREATE FUNCTION condition_double(n numeric) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF n = 0 OR abs(n) BETWEEN 1e-300 AND 1e300 OR n IN ('NaN', 'Infinity', '-Infinity') THEN RETURN n::float8; END IF;
    IF abs(n) >= 179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792 THEN
        RETURN sign(n)::float8 * 'Infinity'::float8;
    END IF;
    RETURN CASE WHEN abs(n) < 2.47032822920623272088e-324 THEN 0 ELSE n::float8 END;
END $$;

-- A double as the shortest number that reads back as it.
CREATE FUNCTION condition_exactly(n float8) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT n::text::numeric
$$;

-- A number of JSON as it is written, whole ones beyond 2^53 as the doubles that they are to CEL.
CREATE FUNCTION condition_decimal(j jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(j) = 'number' THEN
        CASE WHEN abs(j::numeric) < 9007199254740992 THEN j::numeric ELSE j::float8::text::numeric END END
$$;

CREATE FUNCTION condition_whole(n numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN n BETWEEN -9223372036854775808 AND 9223372036854775807 THEN n::bigint END
$$;

CREATE FUNCTION condition_truncated(n float8) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN n > -9223372036854775808::float8 AND n < 9223372036854775808::float8 THEN trunc(n)::bigint END
$$;

CREATE FUNCTION condition_int(j jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(j)
        WHEN 'number' THEN condition_truncated(j::float8)
        WHEN 'boolean' THEN CASE WHEN j::boolean THEN 1 ELSE 0 END
        WHEN 'string' THEN CASE WHEN (j #>> '{}') ~ '^[ \t\n\v\f\r]*[+-]?[0-9]+[ \t\n\v\f\r]*$' AND char_length(j #>> '{}') < 1000
            THEN condition_whole(btrim(j #>> '{}', E' \t\n\x0b\f\r')::numeric) END
    END
$$;

-- Arithmetic of doubles: Postgres raises an error where a double becomes infinite, vanishes or is divided by 0.
CREATE FUNCTION condition_plus(a float8, b float8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF least(abs(a), abs(b)) < 1e280 OR greatest(abs(a), abs(b)) < 8e307 OR sign(a) <> sign(b)
        OR greatest(abs(a), abs(b)) >= 'Infinity' THEN RETURN a + b; END IF;
    IF abs(a * 0.5 + b * 0.5) >= power(2::float8, 1023) THEN RETURN sign(a) * 'Infinity'::float8; END IF;
    RETURN a + b;
END $$;

CREATE FUNCTION condition_times(a float8, b float8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    x float8 := greatest(abs(a), abs(b)); y float8 := least(abs(a), abs(b)); m float8;
    s float8 := sign(a) * sign(b);
BEGIN
    IF y = 0 OR x >= 'Infinity' THEN RETURN a * b; END IF;
    m := ln(x) + ln(y);
    IF m BETWEEN -744 AND 709 THEN RETURN a * b; END IF;
    IF m > 711 OR (m > 0 AND (x * power(2::float8, -64)) * y >= power(2::float8, 960)) THEN RETURN s * 'Infinity'::float8; END IF;
    IF m < -747 OR (m < 0 AND (x * power(2::float8, 128)) * y <= power(2::float8, -947)) THEN RETURN s * 0; END IF;
    RETURN a * b;
END $$;

CREATE FUNCTION condition_over(a float8, b float8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    m float8; s float8 := sign(a) * sign(b);
BEGIN
    IF b = 0 THEN
        RETURN CASE WHEN a = 0 OR a = 'NaN' THEN 'NaN'::float8
            ELSE sign(a) * CASE WHEN b::text = '-0' THEN -1 ELSE 1 END * 'Infinity'::float8 END;
    END IF;
    IF a = 0 OR abs(a) >= 'Infinity' OR abs(b) >= 'Infinity' THEN RETURN a / b; END IF;
    m := ln(abs(a)) - ln(abs(b));
    IF m BETWEEN -744 AND 709 THEN RETURN a / b; END IF;
    IF m > 711 OR (m > 0 AND (abs(a) * power(2::float8, -64)) / abs(b) >= power(2::float8, 960)) THEN RETURN s * 'Infinity'::float8; END IF;
    IF m < -747 OR (m < 0 AND (abs(a) * power(2::float8, 128)) / abs(b) <= power(2::float8, -947)) THEN RETURN s * 0; END IF;
    RETURN a / b;
END $$;

-- JSON ------------------------------------------------------------------------

-- The items of a list, the keys of a map.
CREATE FUNCTION condition_items(j jsonb) RETURNS TABLE (place bigint, item jsonb)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ordinality, value
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof(j) = 'array' THEN j END) WITH ORDINALITY
    UNION ALL
    SELECT ordinality, to_jsonb(key)
    FROM jsonb_object_keys(CASE WHEN jsonb_typeof(j) = 'object' THEN j END) WITH ORDINALITY AS k (key, ordinality)
$$;

CREATE FUNCTION condition_size(j jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(j)
        WHEN 'array' THEN jsonb_array_length(j)
        WHEN 'string' THEN char_length(j #>> '{}')
        WHEN 'object' THEN (SELECT count(*) FROM jsonb_object_keys(j))
    END
$$;

-- j[k], as CEL has it.
CREATE FUNCTION condition_at(j jsonb, k jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(j) || ' ' || jsonb_typeof(k)
        WHEN 'object string' THEN j -> (k #>> '{}')
        WHEN 'array number' THEN CASE
            WHEN k::numeric BETWEEN 0 AND 2147483647 AND trunc(k::numeric) = k::numeric THEN j -> k::integer
        END
    END
$$;

-- The first item (0) or the last one (-1) of a list.
CREATE FUNCTION condition_item(j jsonb, n integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(j) = 'array' THEN j -> n END
$$;

-- Equality as CEL sees it: numbers are doubles, however deep they lie.
CREATE FUNCTION condition_equal(a jsonb, b jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF a = b THEN RETURN true; END IF;
    IF jsonb_typeof(a) <> jsonb_typeof(b) THEN RETURN false; END IF;
    CASE jsonb_typeof(a)
        WHEN 'number' THEN RETURN a::float8 = b::float8;
        WHEN 'array' THEN
            RETURN jsonb_array_length(a) = jsonb_array_length(b) AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(a) WITH ORDINALITY AS x (item, n)
                WHERE NOT condition_equal(x.item, b -> (x.n - 1)::integer));
        WHEN 'object' THEN
            RETURN condition_size(a) = condition_size(b) AND NOT EXISTS (
                SELECT FROM jsonb_each(a) x WHERE condition_equal(x.value, b -> x.key) IS NOT TRUE);
        ELSE RETURN false;
    END CASE;
END $$;

-- migrate: rollback
