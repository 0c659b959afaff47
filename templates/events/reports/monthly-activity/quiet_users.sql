WITH per_user AS (
    SELECT
        lower(trim(email)) AS "user",
        count(*) FILTER (WHERE "timestamp" >= $period_start) AS events,
        count(*) FILTER (WHERE "timestamp" < $period_start) AS previous_events,
        max("timestamp") AS last_seen
    FROM events
    WHERE "timestamp" >= $previous_start AND "timestamp" < $period_end AND trim(email) <> ''
    GROUP BY lower(trim(email))
)
SELECT "user", company_domain("user") AS company, previous_events, CAST(last_seen AS DATE) AS last_seen
FROM per_user
WHERE events = 0
ORDER BY previous_events DESC, "user"
LIMIT $top
