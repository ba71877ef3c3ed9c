#!/bin/sh
# Writes requirements/*.lock anew: every platform, every hash, no host names. `--upgrade` takes the newest versions.
set -eu
cd "$(dirname "$0")/.."
uv=$(scripts/setup.sh uv)
export UV_SYSTEM_CERTS=true
compile() {
    "$uv" pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url "$@"
}
compile pyproject.toml --python-version 3.11 --group build -o requirements/run.lock "$@"
compile pyproject.toml --python-version 3.11 --group dev -o requirements/dev.lock "$@"
printf 'nats-py>=2.16\n' | compile - --python-version 3.11 -o requirements/nats.lock "$@"
echo uv | compile - --python-version 3.11 -o requirements/installer.lock "$@"
echo nautilus-trader==1.231.0 | compile - --python-version 3.12 -o requirements/peer.lock "$@"
echo nautilus-trader==2.0.0rc6 | compile - --python-version 3.12 -o requirements/peer2.lock "$@"
