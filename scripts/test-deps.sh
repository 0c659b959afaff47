#!/usr/bin/env bash
# Installs what `make test` needs beyond Rust; does nothing, and says nothing, when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/tools.sh

# install_debian PACKAGE...
install_debian() {
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq </dev/null >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

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

nextest() {
    cargo nextest --version >/dev/null 2>&1 || cargo_tool cargo-nextest 0.9.143
}

make_venv() {
    rm -rf "$venv"
    python3 -m venv "$venv" 2>/dev/null || { install_debian python3-venv && python3 -m venv "$venv"; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/test-requirements.txt >&2
}

# Independent Delta readers. The marker holds the digest of the requirements, so that a change installs anew.
readers() {
    local wanted
    wanted="$(sha256sum <scripts/test-requirements.txt)"
    [ "$(cat "$venv/requirements.sha256" 2>/dev/null)" = "$wanted" ] && return
    step "Delta readers for Python" make_venv
    echo "$wanted" >"$venv/requirements.sha256"
}

mkdir -p "$cache"
postgres
nextest
readers
