# Where the project's scripts keep what they install; sourced, not run. Everything lies below one cache folder outside
# the clone: deleting that folder undoes it all.

cache="${STILLHOUSE_CACHE:-$HOME/.cache/stillhouse}"
tools="$cache/tools"
venv="$cache/venv"

# Says what is being done, with the time it took: installs are slow, and silence looks like a hang.
step() {
    local title="$1" started=$SECONDS
    shift
    echo "installing $title ..." >&2
    "$@"
    echo "installed $title in $((SECONDS - started)) s" >&2
}

# cargo_tool NAME VERSION: a Cargo subcommand, from crates.io, unless this version is there. An unoptimised build is
# several times quicker to make, and quick enough to run.
cargo_tool() {
    local name="$1" version="$2"
    [ "$("$tools/bin/$name" --version 2>/dev/null | head -1 | cut -d' ' -f2)" = "$version" ] && return
    step "$name $version" env CARGO_TARGET_DIR="$cache/tools-build" CARGO_PROFILE_DEV_DEBUG=0 \
        cargo install --quiet --locked --debug --force --root "$tools" "$name@$version"
    rm -rf "$cache/tools-build"
}
