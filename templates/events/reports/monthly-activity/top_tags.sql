-- A tag that stands twice on one event counts twice.
SELECT tag, count(*) AS uses
FROM event_tags
WHERE "timestamp" >= $period_start AND "timestamp" < $period_end AND tag <> ''
GROUP BY tag
ORDER BY uses DESC, tag
LIMIT $top
