-- Users are counted first, so that company_domain runs once for each of them.
WITH per_user AS (
    SELECT lower(trim(email)) AS email, count(*) AS events
    FROM events
    WHERE "timestamp" >= $period_start AND "timestamp" < $period_end
    GROUP BY lower(trim(email))
)
SELECT
    coalesce(sum(events), 0) AS events,
    count(*) FILTER (WHERE email <> '') AS users,
    count(DISTINCT company_domain(email)) AS companies
FROM per_user
