WITH months AS (
    SELECT date_trunc('month', "timestamp") AS first_day, count(*) AS events
    FROM events
    WHERE "timestamp" >= $period_start AND "timestamp" < $period_end
    GROUP BY date_trunc('month', "timestamp")
)
SELECT to_char(first_day, '%Y-%m') AS month, events
FROM months
ORDER BY first_day
