-- ledger.migrate.0004
-- Versions that come into the tables together or not at all: a claim takes all of them. NULL: each by itself.
ALTER TABLE ledger_versions ADD COLUMN cohort TEXT;

CREATE INDEX ledger_versions_cohort ON ledger_versions (cohort) WHERE cohort IS NOT NULL;
