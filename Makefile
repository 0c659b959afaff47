# make demo   build the program, load the sample project and print its report
# make test   install what the tests need, then run them all
# make lint   formatting, clippy, our own rules (xtask), licences and sources of dependencies
#
# make simulate SEEDS=10000    random histories in which everything fails that can fail; some hundred are part of `make test`
# make mutations SEEDS=500     the same without one rule of the commit protocol at a time: each has to be noticed
#
# make bench BENCH='--cases events_csv_150mb --rounds 5'   against DuckDB, Polars and pyarrow; writes docs/benchmarks.md and
#                              .json. It measures the profile of everything else, which the report names; PROFILE=dist is
#                              what is shipped, and builds the whole dependency tree once more
#
# All of them build with the same profile and the same features, so a machine compiles the dependency tree once. The
# build lies outside the clone, so that several clones share it.

CACHE := $(or $(STILLHOUSE_CACHE),$(HOME)/.cache/stillhouse)
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(CACHE)/tools/bin:$(PATH)
BUILD := --locked --release

SEEDS ?=
# How long hostile JSON, Parquet and packed files are tried, each of them.
FUZZ_SECONDS ?= 60
PROFILE ?= release
# Arguments of bench/run.py.
BENCH ?=

.PHONY: demo test lint fmt clean-demo simulate mutations bench

demo:
	cargo build $(BUILD) -p stillhouse
	@bash scripts/demo.sh "$(CARGO_TARGET_DIR)/release/stillhouse" demo

test:
	@bash scripts/test-deps.sh
	@"$(CACHE)/venv/bin/python" scripts/read_delta.py --self-test
	@"$(CACHE)/venv/bin/python" -m unittest discover --quiet -s bench
	STILLHOUSE_FUZZ_SECONDS=$(FUZZ_SECONDS) cargo nextest run $(BUILD) --workspace --no-fail-fast
	@bash scripts/valgrind.sh

lint:
	cargo fmt --all --check
	cargo clippy $(BUILD) --workspace --all-targets -- -D warnings
	cargo run -q $(BUILD) -p xtask -- tidy
	@bash scripts/lint-deps.sh
	cargo deny --locked check --hide-inclusion-graph licenses bans sources

simulate:
	cargo build $(BUILD) --workspace --bin testkit
	"$(CARGO_TARGET_DIR)/release/testkit" simulate --seeds $(or $(SEEDS),10000)

mutations:
	cargo build $(BUILD) --workspace --features stillhouse-testkit/mutations --bin testkit
	"$(CARGO_TARGET_DIR)/release/testkit" mutations --seeds $(or $(SEEDS),500)

bench:
	@bash scripts/bench-deps.sh
	cargo build --locked --profile $(PROFILE) -p stillhouse
	@"$(CACHE)/bench-venv/bin/python" bench/run.py --program "$(CARGO_TARGET_DIR)/$(PROFILE)/stillhouse" \
		--profile $(PROFILE) $(BENCH)

fmt:
	cargo fmt --all

clean-demo:
	rm -rf demo
