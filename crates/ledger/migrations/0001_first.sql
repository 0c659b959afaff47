-- ledger.migrate.0001
-- Numbers are BIGINT and words TEXT: the types that SQLite and PostgreSQL share. Times are microseconds since 1970.

CREATE TABLE ledger_meta (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    ledger_id TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('new', 'rebuilding', 'open')),
    epoch BIGINT NOT NULL,
    next_seq BIGINT NOT NULL,
    publish_token TEXT,
    publish_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row for each (source, key, member). `generation` is the newest offered, `revision` the last staged.
CREATE TABLE ledger_keys (
    key_number BIGINT PRIMARY KEY,
    source TEXT NOT NULL,
    object_key TEXT NOT NULL,
    member TEXT NOT NULL,
    generation BIGINT NOT NULL CHECK (generation >= 1),
    revision BIGINT NOT NULL CHECK (revision >= 0),
    UNIQUE (source, object_key, member)
);

-- One row for each object version. `ready_at`: offered, claimable from then on; claimed, the lease ends then.
CREATE TABLE ledger_versions (
    key_number BIGINT NOT NULL REFERENCES ledger_keys (key_number),
    generation BIGINT NOT NULL CHECK (generation >= 1),
    etag TEXT NOT NULL,
    size BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    offered_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('offered', 'claimed', 'staged', 'complete', 'superseded', 'held', 'failed', 'forgotten')
    ),
    ready_at BIGINT,
    token TEXT,
    attempt TEXT,
    attempts_count BIGINT NOT NULL DEFAULT 0,
    reason TEXT,
    PRIMARY KEY (key_number, generation),
    CHECK ((token IS NOT NULL) = (state = 'claimed')),
    CHECK ((ready_at IS NOT NULL) = (state IN ('offered', 'claimed')))
);

-- The three questions that are not about one key: what is ready, what does a token hold, what is in a state.
-- The last index must not hold `key_number`: PostgreSQL would take it for updates by key, and read all of a state each time.
CREATE INDEX ledger_versions_ready ON ledger_versions (offered_at, key_number) WHERE ready_at IS NOT NULL;
CREATE INDEX ledger_versions_token ON ledger_versions (token) WHERE token IS NOT NULL;
CREATE INDEX ledger_versions_state ON ledger_versions (state, offered_at);

CREATE TABLE ledger_attempts (
    key_number BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    attempt TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT CHECK (outcome IN ('staged', 'failed', 'held', 'released', 'superseded', 'lost')),
    error TEXT,
    PRIMARY KEY (key_number, generation, attempt),
    FOREIGN KEY (key_number, generation) REFERENCES ledger_versions (key_number, generation),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

-- `epoch`: the newest that the ledger knew of when the batch was staged.
CREATE TABLE ledger_queue (
    seq BIGINT PRIMARY KEY CHECK (seq >= 1),
    batch_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    manifest TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    staged_at BIGINT NOT NULL
);

CREATE TABLE ledger_members (
    seq BIGINT NOT NULL REFERENCES ledger_queue (seq),
    key_number BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (seq, key_number),
    FOREIGN KEY (key_number, generation) REFERENCES ledger_versions (key_number, generation)
);
