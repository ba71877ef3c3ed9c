#!/bin/sh
# Brings .venv to exactly what a lock file says, hash-checked, bytecode compiled; does nothing if it is there.
#
#   scripts/setup.sh run     what VANTA needs to run
#   scripts/setup.sh nats    that, and the client of NATS, for hosts that are linked over it
#   scripts/setup.sh dev     both, and what tests need
#   scripts/setup.sh peer    .peer, the environment of the benchmark's peer (Python 3.12 or newer)
#   scripts/setup.sh peer2   .peer2, that of its next major version
#   scripts/setup.sh second  .second, what VANTA needs to run under another Python than that of .venv
#   scripts/setup.sh uv      only the installer; prints where it is
#
# `dev` contains `run`: after `make test`, `make run` installs nothing. $PYTHON chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
set_name=$1
lock=$set_name; venv=.venv; oldest="3, 11"; other=
case $set_name in
    peer | peer2) venv=.$set_name; oldest="3, 12" ;;
    second) lock=run; venv=.second; other=$(.venv/bin/python -c 'import sys; print(sys.version_info[:2])') ;;
esac

find_python() {
    elsewhere=${other:+"$HOME"/.pyenv/versions/3.1*/bin/python}
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 $elsewhere}; do
        "$candidate" -c "import sys; assert sys.version_info >= ($oldest) and sys.version_info[:2] != (${other:-})
print(sys.executable)" 2>/dev/null && return
    done
    echo "VANTA needs Python ${oldest%,*}.${oldest#*, } or newer${other:+, not $other,} on PATH (or PYTHON=/path/to/python)." >&2
    exit 69
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then
        echo uv
        return
    fi
    if [ ! -x .uv/bin/uv ] || ! cmp -s requirements/installer.lock .uv/installed.lock; then
        echo "fetching the installer ..." >&2
        rm -rf .uv
        "$1" -m venv .uv
        .uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
            -r requirements/installer.lock >&2
        cp requirements/installer.lock .uv/installed.lock
    fi
    echo .uv/bin/uv
}

if [ "$set_name" = uv ]; then python=$(find_python); find_uv "$python"; exit 0; fi

# What an environment was made from; its stamp is removed before anything is changed and written at the very end.
state() { cat requirements/run.lock "requirements/$1.lock" pyproject.toml vanta/__init__.py scripts/setup.sh | cksum; }
stamped() { [ -f "$venv/installed.$1" ] && [ "$(cat "$venv/installed.$1")" = "$(state "$1")" ]; }

if "$venv/bin/python" -c '' 2>/dev/null; then
    if stamped "$lock"; then exit 0; fi
    case $set_name in
        run) if stamped nats || stamped dev; then exit 0; fi ;;
        nats) if stamped dev; then exit 0; fi ;;
    esac
fi

export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true
python=$(find_python)
uv=$(find_uv "$python")
echo "installing into $venv ..." >&2
rm -f "$venv"/installed.*
if ! "$venv/bin/python" -c '' 2>/dev/null; then
    rm -rf "$venv"
    "$uv" venv --quiet --python "$python" "$venv"
fi
export VIRTUAL_ENV="$PWD/$venv"
case $set_name in
    run | second) "$uv" pip install --quiet --require-hashes --compile-bytecode -r requirements/run.lock ;;
    nats) "$uv" pip install --quiet --require-hashes --compile-bytecode -r requirements/run.lock -r requirements/nats.lock ;;
    dev | peer | peer2) "$uv" pip sync --quiet --require-hashes --compile-bytecode "requirements/$set_name.lock" ;;
    *) echo "usage: scripts/setup.sh run | nats | dev | peer | peer2 | second | uv" >&2; exit 2 ;;
esac
if [ "$venv" = .venv ]; then
    # Editable, built with the hatchling that the lock has just installed: nothing else is fetched.
    "$uv" pip install --quiet --offline --no-deps --no-build-isolation --editable .
    "$venv/bin/python" -m compileall -q vanta
fi
state "$lock" > "$venv/installed.$lock"
