-- From the first day of the period's year to the period's end.
WITH per_user AS (
    SELECT lower(trim(email)) AS email, count(*) AS events
    FROM events
    WHERE "timestamp" >= $year_start AND "timestamp" < $period_end
    GROUP BY lower(trim(email))
)
SELECT coalesce(sum(events), 0) AS events, count(*) FILTER (WHERE email <> '') AS users
FROM per_user
