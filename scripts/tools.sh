# Where the project's scripts keep what they install; sourced, not run. Everything lies below one cache folder outside
# the clone: deleting that folder undoes it all.

cache="${STILLHOUSE_CACHE:-$HOME/.cache/stillhouse}"
tools="$cache/tools"
venv="$cache/venv"
bench_venv="$cache/bench-venv"

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

# install_debian PACKAGE...
install_debian() {
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq </dev/null >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

# make_venv FOLDER REQUIREMENTS
make_venv() {
    rm -rf "$1"
    python3 -m venv "$1" 2>/dev/null || { install_debian python3-venv && python3 -m venv "$1"; }
    "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2" >&2
}

# python_packages TITLE FOLDER REQUIREMENTS: a virtual environment. The marker holds the digest of the requirements, so
# that a change installs anew.
python_packages() {
    local title="$1" folder="$2" requirements="$3" wanted
    wanted="$(sha256sum <"$requirements")"
    [ "$(cat "$folder/requirements.sha256" 2>/dev/null)" = "$wanted" ] && return
    step "$title" make_venv "$folder" "$requirements"
    echo "$wanted" >"$folder/requirements.sha256"
}
