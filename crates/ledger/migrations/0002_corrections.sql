-- ledger.migrate.0002
-- What a version does to older ones of its key, what is in it, and logs of attempts.

-- Rows of the generations from this one on, up to below the version's own, go when the version comes. Versions from before
-- this migration replaced everything older.
ALTER TABLE ledger_versions ADD COLUMN replaces_from BIGINT NOT NULL DEFAULT 0;
-- What tells equal contents; known once staged.
ALTER TABLE ledger_versions ADD COLUMN content TEXT;
-- The version that has the rows of this one; absent: it has its own.
ALTER TABLE ledger_versions ADD COLUMN twin_key BIGINT;
ALTER TABLE ledger_versions ADD COLUMN twin_generation BIGINT;
-- 1: the file is there no more.
ALTER TABLE ledger_versions ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;
-- 1: loaded once more at a person's request.
ALTER TABLE ledger_versions ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;

-- Which version with rows has this content? In the order in which the first one is looked for.
CREATE INDEX ledger_versions_content ON ledger_versions (content, key_number, generation)
    WHERE content IS NOT NULL AND twin_key IS NULL AND state IN ('complete', 'staged');
-- Which versions have no rows of their own?
CREATE INDEX ledger_versions_twin ON ledger_versions (twin_key, twin_generation) WHERE twin_key IS NOT NULL;

-- Where the ledger was moved to; in the place it is moved to, until it has arrived there: 'arriving'.
ALTER TABLE ledger_meta ADD COLUMN moved_to TEXT;

CREATE INDEX ledger_attempts_started ON ledger_attempts (started_at);
CREATE INDEX ledger_attempts_ended ON ledger_attempts (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX ledger_attempts_attempt ON ledger_attempts (attempt);

-- `line` counts the lines of an attempt from 1; lines in the middle of a long log are left out.
CREATE TABLE ledger_logs (
    attempt TEXT NOT NULL,
    line BIGINT NOT NULL CHECK (line >= 1),
    logged_at BIGINT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('info', 'warn', 'error')),
    text TEXT NOT NULL,
    PRIMARY KEY (attempt, line)
);
CREATE INDEX ledger_logs_first ON ledger_logs (logged_at) WHERE line = 1;
