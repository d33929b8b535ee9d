#!/usr/bin/env bash
# Every task of the project, by name. `./do help` lists them.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
build=$root/build
jobs=${HEFT_JOBS:-2}
export CCACHE_SLOPPINESS=pch_defines,time_macros # or it keeps nothing that has precompiled headers

say() { printf '%s\n' "$*" >&2; }
die() { say "do: $*"; exit 1; }

# -- packages ------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # looked up by group in setup()
build_packages="g++ cmake ninja-build pkg-config ccache libsimdjson-dev nlohmann-json3-dev
    libfmt-dev libyaml-cpp-dev libcli11-dev libssl-dev libpcre2-dev libutf8proc-dev libedit-dev python3"
# shellcheck disable=SC2034
test_packages="libgtest-dev libgmock-dev"
# shellcheck disable=SC2034
bench_packages="libbenchmark-dev"
# shellcheck disable=SC2034
lint_packages="clang clang-tidy clang-format"

why() {
    case $1 in
        g++|clang) echo "C++20 compiler" ;;
        cmake|ninja-build|pkg-config) echo "build system" ;;
        ccache) echo "quick rebuilds" ;;
        libsimdjson-dev|nlohmann-json3-dev) echo "JSON" ;;
        libfmt-dev) echo "text formatting" ;;
        libyaml-cpp-dev) echo "YAML" ;;
        libcli11-dev) echo "command line options" ;;
        libssl-dev) echo "SHA-256, TLS" ;;
        libboost*-dev) echo "the server's sockets and HTTP (Boost.Asio, Boost.Beast)" ;;
        libpcre2-dev) echo "the tokenizers' regular expressions" ;;
        libutf8proc-dev) echo "Unicode normalisation" ;;
        libedit-dev) echo "line editing in heft chat" ;;
        nodejs|npm) echo "the page, and published clients that tests talk to heft serve with" ;;
        chromium) echo "tests of the page that heft serve gives" ;;
        python3) echo "checks and tests of the program" ;;
        libgtest-dev|libgmock-dev) echo "unit tests" ;;
        libbenchmark-dev) echo "micro-benchmarks" ;;
        clang-tidy|clang-format) echo "lint" ;;
        libclang-rt-*) echo "sanitizers and fuzzing" ;;
        *) echo "needed" ;;
    esac
}

missing() {
    local installed package
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        grep -qxF "$package installed" <<<"$installed" || echo "$package"
    done
}

# clang's sanitizer run-time is a package of its own that carries clang's version.
clang_runtime() {
    local depends
    depends=$(dpkg-query -W -f='${Depends}' clang 2>/dev/null || apt-cache depends clang 2>/dev/null || true)
    [[ $depends =~ clang-([0-9]+) ]] || return 0
    local package=libclang-rt-${BASH_REMATCH[1]}-dev
    if [[ -z $(missing "$package") ]] || apt-cache show "$package" >/dev/null 2>&1; then
        echo "$package"
    fi
}

# Boost's headers carry its version: 1.81 or later, which Debian 12 and Ubuntu 24.04 each have.
boost() {
    local package
    for package in libboost1.81-dev libboost1.83-dev; do
        if [[ -z $(missing "$package") ]] || apt-cache show "$package" >/dev/null 2>&1; then
            echo "$package"
            return
        fi
    done
    echo libboost-dev
}

# The browser, where the distribution has it as a package (Ubuntu has it as a snap only).
browser() {
    if [[ -z $(missing chromium) ]] || apt-cache show chromium >/dev/null 2>&1; then
        echo chromium
    fi
}

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "installing packages needs root: run this as root: $*"
    fi
}

apt_updated=
install_packages() {
    local wanted=("$@") package
    [[ ${#wanted[@]} -gt 0 ]] || return 0
    say "Installing packages that heft is built with:"
    for package in "${wanted[@]}"; do say "  $package - $(why "$package")"; done
    if [[ -z $apt_updated ]]; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 </dev/null ||
            say "do: apt-get update failed; trying with the package lists that are there"
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${wanted[@]}" >&2 </dev/null || die "apt-get could not install: ${wanted[*]}"
}

# setup GROUP…: installs what is missing of these groups; says nothing when all is there.
setup() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        if ! command -v cmake >/dev/null || ! command -v ninja >/dev/null; then
            die "this is neither Debian nor Ubuntu; please install what these packages hold: $build_packages"
        fi
        return 0
    fi
    local group names=""
    for group in "$@"; do
        local list=${group}_packages
        names+=" ${!list}"
    done
    [[ " $* " != *" build "* ]] || names+=" $(boost)"
    # shellcheck disable=SC2086,SC2046
    install_packages $(missing $names)
    if [[ " $* " == *" lint "* ]]; then
        # shellcheck disable=SC2046
        install_packages $(missing $(clang_runtime))
    fi
    if [[ " $* " == *" test "* ]]; then
        # shellcheck disable=SC2046
        install_packages $(missing $(browser))
        setup_js tests/js
        setup_js web
    fi
}

# The npm packages of a folder, once and when their list has changed. Without a network the tests
# that need them are skipped.
setup_js() {
    local folder=$root/$1
    if ! command -v npm >/dev/null; then
        # shellcheck disable=SC2046
        install_packages $(missing nodejs npm)
    fi
    [[ ! $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] || return 0
    say "Installing the npm packages of $1"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 </dev/null ||
        say "do: npm could not install them; the tests that need them will be skipped"
}

# -- building ------------------------------------------------------------------------------------

# configure PRESET [CMAKE-ARGS]: once, and again when an argument differs from the cache.
configure() {
    local preset=$1 cache=$build/$1/CMakeCache.txt argument stale=
    shift
    local arguments=("$@")
    if command -v ccache >/dev/null; then
        arguments+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
    fi
    # A build from nothing takes half the time so; clang-tidy wants to know of each file.
    if [[ $preset != tidy ]]; then arguments+=(-DHEFT_TOGETHER="${HEFT_TOGETHER:-ON}"); fi
    [[ -f $build/$preset/build.ninja ]] || stale=1
    for argument in ${arguments[@]+"${arguments[@]}"}; do
        local name=${argument#-D}
        grep -qs "^${name%%=*}:[A-Z]*=${name#*=}\$" "$cache" || stale=1
    done
    [[ -n $stale ]] || return 0
    (cd "$root" && cmake --preset "$preset" ${arguments[@]+"${arguments[@]}"}) >&2
}

compile() {
    local preset=$1
    shift
    ninja -C "$build/$preset" -j "$jobs" "$@" >&2
}

# The program only; what tests need is added by the tasks that need it.
configure_release() {
    if [[ -f $build/release/build.ninja ]]; then
        return 0
    fi
    configure release -DHEFT_TESTS=OFF -DHEFT_BENCH=OFF
}

build_program() {
    configure_release
    compile release "$@" heft
}

# As build_program, but silent when there is nothing to tell.
build_program_quietly() {
    local log
    mkdir -p "$build"
    if [[ ! -x $build/heft ]]; then
        say "Building heft; the first time takes a few minutes."
        if [[ -t 2 ]]; then
            build_program
            return
        fi
    fi
    log=$(mktemp)
    if ! build_program --quiet >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "the build failed"
    fi
    rm -f "$log"
}

# -- tasks ---------------------------------------------------------------------------------------

run_program() {
    if [[ $# -gt 0 ]]; then
        exec "$build/heft" run "$@"
    elif [[ -t 0 && -t 1 ]]; then
        exec "$build/heft" chat tiny
    else
        exec "$build/heft" run tiny "Tell me a story about a fox and a lantern." --temp 0
    fi
}

run_tests() {
    # Benchmarks are built along, so that they keep compiling, where their library is installed.
    local bench=OFF
    if command -v dpkg-query >/dev/null && [[ -z $(missing libbenchmark-dev) ]]; then bench=ON; fi
    configure release -DHEFT_TESTS=ON -DHEFT_BENCH=$bench
    compile release
    ctest --test-dir "$build/release" --output-on-failure -j "$jobs" "$@"
}

run_benches() {
    configure release -DHEFT_BENCH=ON
    compile release
    local bench
    for bench in $(find "$build/release/src" -type f -executable -name '*_bench' | sort); do
        say "== $(basename "$bench")"
        "$bench" "$@"
    done
    "$build/heft" bench tiny
}

sources() {
    local folder
    for folder in src include tests fuzz bench; do
        [[ ! -d $folder ]] || find "$folder" -name node_modules -prune -o \
            \( -name '*.h' -o -name '*.cc' \) -type f -print
    done
}

format() { (cd "$root" && sources | xargs -r clang-format "$@"); }

lint() {
    local failed=
    say "== clang-format"
    format --dry-run -Werror || failed=1
    say "== layers"
    python3 "$root/scripts/check_layers.py" "$root" || failed=1
    say "== clang-tidy"
    configure tidy
    python3 "$root/scripts/tidy.py" "$root" "$build/tidy" "$build/tidy-cache" "$jobs" || failed=1
    say "== sizes"
    python3 "$root/scripts/report_sizes.py" "$root"
    [[ -z $failed ]] || die "lint found something"
}

# fuzz_one TARGET SECONDS: its last words; those of a finding in full.
fuzz_one() {
    local name=$1 seconds=$2 subject=${1%_fuzz}
    local corpus=$build/fuzz-corpus/$subject log=$build/fuzz-findings/$name.log
    mkdir -p "$corpus"
    if [[ -d $root/fuzz/corpus/$subject ]]; then
        cp -R "$root/fuzz/corpus/$subject/." "$corpus"
    fi
    if "$build/fuzz/fuzz/$name" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 \
        -artifact_prefix="$build/fuzz-findings/$name-" "$corpus" >"$log" 2>&1 </dev/null; then
        say "== $name: $(tail -n 1 "$log")"
    else
        say "== $name: FOUND something"
        tail -n 60 "$log" >&2
        return 1
    fi
}

# Every target for so many seconds, as many at once as there are jobs.
fuzz() {
    local seconds=$1 source running=0 failed=0
    configure fuzz
    local targets=()
    for source in "$root"/fuzz/*_fuzz.cc; do
        [[ -e $source ]] || die "there are no fuzz targets"
        targets+=("$(basename "$source" .cc)")
    done
    compile fuzz "${targets[@]}"
    mkdir -p "$build/fuzz-findings"
    for source in "${targets[@]}"; do
        if [[ $running -ge $jobs ]]; then
            wait -n || failed=$((failed + 1))
            running=$((running - 1))
        fi
        fuzz_one "$source" "$seconds" &
        running=$((running + 1))
    done
    for (( ; running > 0; running--)); do
        wait -n || failed=$((failed + 1))
    done
    [[ $failed == 0 ]] || die "$failed targets found something (inputs are in build/fuzz-findings)"
}

# sanitized PRESET: the unit tests of a sanitizer build.
sanitized() {
    configure "$1"
    compile "$1"
    ctest --test-dir "$build/$1" -L unit --output-on-failure -j "$jobs"
}

# The built-in model's own evaluation, from its folder and as it is embedded.
evaluate() {
    say "== models/tiny, as trained"
    python3 "$root/scripts/eval_tiny.py" "$build/heft" "$root"
    say "== tiny, as embedded"
    python3 "$root/scripts/eval_tiny.py" "$build/heft" "$root" tiny
}

# The bundle of the page, which is committed so that building heft needs no Node.js.
build_page() {
    setup_js web
    (cd "$root/web" && npm run build) >&2
}

usage() {
    cat <<'END'
./do TASK
  setup          install the Debian/Ubuntu packages that are missing
  build          the release program, at build/heft
  run [ARGS]     build if needed, then `heft run ARGS`; without ARGS the embedded model answers:
                 a chat on a terminal, otherwise one sample
  test [ARGS]    build and run all tests; ARGS go to ctest (-R name, -L unit)
  bench [ARGS]   micro-benchmarks, then heft bench on the embedded model
  eval           repeat the embedded model's evaluation and compare it with the stored scores
  docs           write docs/models.md, the table of what is supported, anew
  shape-table    write docs/quantize.md's table of types anew: perplexity and KL of the built-in model
  web            build web/dist, the page that heft serve gives, anew
  fmt            format all sources
  lint           format check, layers, clang-tidy, size report
  asan           unit tests with address and undefined-behaviour sanitizers
  tsan           unit tests with the thread sanitizer
  fuzz SECONDS   every fuzz target for so long, several at once
HEFT_JOBS=N sets how many compilers, tests and fuzz targets run at once (2).
END
}

task=${1:-help}
[[ $# == 0 ]] || shift
case $task in
    setup) setup build test bench lint ;;
    build) setup build; build_program ;;
    run) setup build; build_program_quietly; run_program "$@" ;;
    test) setup build test; run_tests "$@" ;;
    bench) setup build test bench; run_benches "$@" ;;
    eval) setup build; build_program_quietly; evaluate ;;
    docs) setup build; build_program_quietly; python3 "$root/scripts/models_doc.py" "$build/heft" "$root" ;;
    shape-table) setup build; build_program_quietly; python3 "$root/scripts/shape_table.py" "$build/heft" "$root" ;;
    web) build_page ;;
    fmt) setup build lint; format -i ;;
    lint) setup build test lint; lint ;;
    asan) setup build test lint; sanitized fuzz ;;
    tsan) setup build test; sanitized tsan ;;
    fuzz)
        [[ ${1:-} =~ ^[1-9][0-9]*$ ]] || die "fuzz needs a number of seconds: ./do fuzz 60"
        setup build test lint
        fuzz "$1"
        ;;
    help|-h|--help) usage ;;
    *) usage >&2; exit 2 ;;
esac
