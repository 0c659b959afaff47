-- A year that nobody stated is not shown: "07" instead of "2024-07".
WITH per_day AS (
    SELECT "date", year_from, count(*) AS transactions
    FROM transactions
    GROUP BY "date", year_from
),
per_month AS (
    SELECT to_char("date", CASE WHEN year_from = 'file time' THEN '%m' ELSE '%Y-%m' END) AS month, transactions
    FROM per_day
)
SELECT month, sum(transactions) AS transactions
FROM per_month
GROUP BY month
ORDER BY month
