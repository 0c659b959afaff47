-- What stands behind the @, as it is: free mail included, shop.example.com beside example.com.
WITH per_user AS (
    SELECT lower(trim(email)) AS email, count(*) AS events
    FROM events
    WHERE "timestamp" >= $period_start AND "timestamp" < $period_end AND trim(email) <> ''
    GROUP BY lower(trim(email))
),
per_user_domain AS (
    SELECT email_domain(email) AS domain, events FROM per_user
)
SELECT domain, sum(events) AS events, count(*) AS users
FROM per_user_domain
WHERE domain IS NOT NULL
GROUP BY domain
ORDER BY events DESC, domain
LIMIT $top
