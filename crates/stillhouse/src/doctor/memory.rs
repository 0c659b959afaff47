//! Memory: what this process may have, against what the settings let it take.

use std::path::Path;

use stillhouse_spec::Limits;

use super::Finding;
use super::memory_limit::limit;
use crate::text::bytes;

const AREA: &str = "memory";
/// What a load or a query needs besides `query_memory`; with the default of that, 300 MB in all.
const PROGRAM_BYTES: u64 = 300_000_000 - (128 << 20);

/// Compares the limit with the settings.
pub fn look(limits: &Limits, findings: &mut Vec<Finding>) {
    findings.push(judge(limit(Path::new("/")), limits.query_memory_bytes));
}

fn judge(limit: Option<(u64, &'static str)>, query_bytes: u64) -> Finding {
    let needed = query_bytes + PROGRAM_BYTES;
    let Some((limit, of)) = limit else {
        return Finding::ok(
            AREA,
            format!("at most {} will be used; the system does not say what there is", bytes(needed)),
        );
    };
    let found = format!("{of} allows {}; loads and queries take up to {}", bytes(limit), bytes(needed));
    if needed <= limit {
        return Finding::ok(AREA, found);
    }
    let next = "lower `query_memory` in [limits] of stillhouse.toml, or allow more memory; \
        a process that takes more than it may is killed";
    if query_bytes >= limit { Finding::problem(AREA, found, next) } else { Finding::note(AREA, found, next) }
}
