SELECT country, count(*) AS events
FROM events
WHERE "timestamp" >= $period_start AND "timestamp" < $period_end AND country <> ''
GROUP BY country
ORDER BY events DESC, country
LIMIT $top
