SELECT action, count(*) AS events
FROM events
WHERE "timestamp" >= $period_start AND "timestamp" < $period_end AND action <> ''
GROUP BY action
ORDER BY events DESC, action
LIMIT $top
