#!/usr/bin/env bash
# Installs what `make lint` needs beyond Rust; does nothing, and says nothing, when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/tools.sh

cargo_tool cargo-deny 0.20.2
