-- The period before has the same length and ends where this one begins.
WITH per_user AS (
    SELECT
        lower(trim(email)) AS email,
        count(*) FILTER (WHERE "timestamp" >= $period_start) AS events,
        count(*) FILTER (WHERE "timestamp" < $period_start) AS previous_events
    FROM events
    WHERE "timestamp" >= $previous_start AND "timestamp" < $period_end AND trim(email) <> ''
    GROUP BY lower(trim(email))
),
per_user_company AS (
    SELECT company_domain(email) AS company, events, previous_events FROM per_user
),
companies AS (
    SELECT company, sum(events) AS events, sum(previous_events) AS previous_events
    FROM per_user_company
    WHERE company IS NOT NULL
    GROUP BY company
)
SELECT company, events, previous_events, events - previous_events AS growth
FROM companies
WHERE events > previous_events
ORDER BY growth DESC, company
LIMIT $top
