#!/usr/bin/env bash
# Installs what `make bench` compares with; does nothing, and says nothing, when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/tools.sh

mkdir -p "$cache"
python_packages "DuckDB, Polars and pyarrow to compare with" "$bench_venv" bench/requirements.txt
