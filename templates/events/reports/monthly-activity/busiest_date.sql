-- The earliest, if several days are equally busy.
SELECT CAST("timestamp" AS DATE) AS day, count(*) AS events
FROM events
WHERE "timestamp" >= $period_start AND "timestamp" < $period_end
GROUP BY day
ORDER BY events DESC, day
LIMIT 1
