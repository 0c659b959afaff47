-- Every row counts, whatever its id. The same id twice may still be a mistake of whoever wrote the file.
SELECT id, count(*) AS transactions
FROM transactions
WHERE id IS NOT NULL
GROUP BY id
HAVING count(*) > 1
ORDER BY id
