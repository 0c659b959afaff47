SELECT lower(trim(email)) AS "user", count(*) AS events
FROM events
WHERE "timestamp" >= $period_start AND "timestamp" < $period_end AND trim(email) <> ''
GROUP BY lower(trim(email))
ORDER BY events DESC, "user"
LIMIT $top
