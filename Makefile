# VANTA. Everything installs into .venv from hash-checked locks; nothing outside this folder is touched.
# PYTHON=/path/to/python chooses the interpreter (3.11 or newer).

BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test lint second test-hosts torture bench lock docs clean

help: ## show this
	@echo "VANTA: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1	\2/p' $(MAKEFILE_LIST) | expand -t 14

run: ## all three nodes on shipped payloads, paper broker, state in ./var (LIVE=1 CONTACT=you@example.org: the real public feeds)
	@scripts/setup.sh run
	@$(BIN)/python -m compileall -q vanta
	@$(BIN)/vanta-run demo --home ./var $(if $(LIVE),--live) $${CONTACT:+--contact "$$CONTACT"}

test: lint ## everything that CI runs: lint, types, all tests, coverage
	@rm -rf .coverage.d && mkdir .coverage.d
	@$(BIN)/python -m coverage run -m pytest -n 3 $(ARGS)   # three on two cores: many tests wait for real processes
	@$(BIN)/python scripts/check_coverage.py

lint: ## ruff and mypy
	@scripts/setup.sh dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy

second: ## what replay is compared under: the same packages for another Python, into .second; tests find it there
	@scripts/setup.sh second

test-hosts: ## three hosts under a real systemd and cron, each with its own network and disk (as root; Debian's debootstrap, systemd-container)
	@scripts/setup.sh dev
	@$(BIN)/python -m pytest -m nodes tests/nodes $(ARGS)

torture: ## every crash, power cut and pair of them, at most MINUTES=60 at a time; then halts: 10^6 overlays, 10^4 moments; 10^6 entries
	@scripts/setup.sh dev
	@$(BIN)/python -m tests.crash.torture --minutes $(or $(MINUTES),60)
	@$(BIN)/python -m tests.halt.fuzz && $(BIN)/python -m tests.halt.trials && $(BIN)/python -m tests.scenarios.flood

bench: ## the performance report: every figure beside a named peer or floor of the same run
	@scripts/setup.sh dev
	@$(BIN)/python -m compileall -q vanta
	@scripts/setup.sh peer && scripts/setup.sh peer2 || echo "without the peers: their row will say so"
	@$(BIN)/python -m benchmarks.report $(ARGS)

lock: ## write requirements/*.lock anew (UPGRADE=1: newest versions)
	@scripts/lock.sh $(if $(UPGRADE),--upgrade)

docs: ## write the generated parts of docs/ anew
	@scripts/setup.sh dev
	@$(BIN)/python -m scripts.make_docs

clean: ## remove what make made: environments, caches, ./var
	rm -rf .hosts .venv .uv .peer .peer2 .second var .coverage.d .mypy_cache .ruff_cache .pytest_cache .hypothesis .torture .pytest-state benchmarks/out
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
