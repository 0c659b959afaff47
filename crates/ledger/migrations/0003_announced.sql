-- ledger.migrate.0003
-- Batches without a claim (amendments, compactions) whose files are being written: vacuum leaves these alone.
CREATE TABLE ledger_announced (
    batch_id TEXT PRIMARY KEY,
    announced_at BIGINT NOT NULL
);

-- The place of the last batch that was finished: the lake has at least this one, or it is an older copy.
ALTER TABLE ledger_meta ADD COLUMN finished_seq BIGINT NOT NULL DEFAULT 0;
