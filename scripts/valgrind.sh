#!/usr/bin/env bash
# Runs the tests named `valgrind_…` under valgrind: reads beyond an allocation, or of memory that nobody wrote, fail them.
set -euo pipefail
cd "$(dirname "$0")/.."

host="$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')"
export "CARGO_TARGET_${host}_RUNNER=valgrind --quiet --error-exitcode=1 --leak-check=no --exit-on-first-error=yes"
# Other features than those of `make test` would build the dependency tree again, so the workspace is named and filtered.
exec cargo nextest run --locked --release --workspace --profile valgrind "$@"
