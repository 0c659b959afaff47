-- A year that nobody stated is not shown: "07" instead of "2024-07".
SELECT
    to_char("date", CASE WHEN year_from = 'file time' THEN '%m' ELSE '%Y-%m' END) AS month,
    count(*) AS transactions,
    sum(amount) AS balance,
    avg(amount) FILTER (WHERE amount < 0) AS average_debit,
    avg(amount) FILTER (WHERE amount > 0) AS average_credit
FROM transactions
GROUP BY month
ORDER BY month
