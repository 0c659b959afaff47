-- A debit is less than zero, a credit more. There is no average of nothing.
SELECT
    coalesce(sum(amount), CAST(0 AS DECIMAL(38, 6))) AS total_balance,
    count(*) FILTER (WHERE amount < 0) AS debit_count,
    avg(amount) FILTER (WHERE amount < 0) AS average_debit,
    count(*) FILTER (WHERE amount > 0) AS credit_count,
    avg(amount) FILTER (WHERE amount > 0) AS average_credit,
    count(*) FILTER (WHERE amount = 0) AS zero_count
FROM transactions
