-- Days without events do not appear.
SELECT CAST("timestamp" AS DATE) AS day, count(*) AS events
FROM events
WHERE "timestamp" >= $period_start AND "timestamp" < $period_end
GROUP BY day
ORDER BY day
