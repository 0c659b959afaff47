#!/usr/bin/env bash
# Installs what `make test` needs beyond Rust; does nothing, and says nothing, when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/tools.sh

postgres_there() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# The package's own cluster is not used: tests make throw-away ones.
postgres() {
    postgres_there && return
    command -v apt-get >/dev/null || {
        echo "PostgreSQL's server programs (initdb, pg_ctl) are missing; install them, then run this again" >&2
        exit 1
    }
    step "PostgreSQL" install_debian postgresql
}

# Where the SIMD of the decoder runs with its memory watched.
valgrind_there() {
    command -v valgrind >/dev/null && return
    command -v apt-get >/dev/null || {
        echo "valgrind is missing; install it, then run this again" >&2
        exit 1
    }
    step "valgrind" install_debian valgrind
}

nextest() {
    cargo nextest --version >/dev/null 2>&1 || cargo_tool cargo-nextest 0.9.143
}

mkdir -p "$cache"
postgres
valgrind_there
nextest
python_packages "Delta readers for Python" "$venv" scripts/test-requirements.txt
