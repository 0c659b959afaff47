-- company_domain is the registrable domain of an e-mail address: shop.example.co.uk is example.co.uk. Free-mail
-- providers are no company. Users are counted first, so that it runs once for each of them.
WITH per_user AS (
    SELECT lower(trim(email)) AS email, count(*) AS events
    FROM events
    WHERE "timestamp" >= $period_start AND "timestamp" < $period_end AND trim(email) <> ''
    GROUP BY lower(trim(email))
),
per_user_company AS (
    SELECT company_domain(email) AS company, events FROM per_user
)
SELECT company, sum(events) AS events, count(*) AS users
FROM per_user_company
WHERE company IS NOT NULL
GROUP BY company
ORDER BY events DESC, company
LIMIT $top
