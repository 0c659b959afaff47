WITH months AS (
    SELECT date_trunc('month', "timestamp") AS month, count(*) AS events
    FROM events
    WHERE "timestamp" >= $period_start AND "timestamp" < $period_end
    GROUP BY date_trunc('month', "timestamp")
)
SELECT to_char(month, '%Y-%m') AS month, events
FROM months
ORDER BY months.month
