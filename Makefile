# Sala's commands. `make` is what the continuous check runs; `make run` is a loaded forum on your machine.
# The newest Python, and of several builds of it the quicker one: what a system ships is compiled by profile, what was
# built by hand often not, and then takes a fifth longer for everything (docs/decisions/0044).
TRIED := import sys, time, venv, sqlite3, ssl; from importlib.util import find_spec; \
	assert sys.version_info >= (3, 11) and (find_spec("pip") or find_spec("ensurepip")); \
	began = time.perf_counter(); sum(i * i % 7 for i in range(400000)); print(time.perf_counter() - began)
PYTHON ?= $(eval PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3; do \
	for each in $$(which -a $$name 2>/dev/null || command -v $$name); do \
	took=$$($$each -c '$(TRIED)' 2>/dev/null) && echo "$$took $$each"; done \
	| sort -n | head -n 1 | cut -d " " -f 2 | grep . && break; done))$(PYTHON)
BIN := .venv/bin
PORT ?= 8000
SEQUENCES ?= 2000
# one more than there are cores: some tests wait, for a server, a lock or a browser
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)

# every process of ours would compile the whole house anew otherwise
unexport PYTHONDONTWRITEBYTECODE

.PHONY: test compiled types style run fmt lint migrate lock clean tools screenshots soak bench audit

test: .venv/.ok            ## lint, types, import contracts, then all tests
	@$(MAKE) --no-print-directory -j4 tools types style compiled
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

compiled:                  # read once beside the types: each worker would compile every test and template anew
	@$(BIN)/python -c "from pathlib import Path; from app.kit.templates import compile_all; compile_all(Path('var/templates'))"
	@$(BIN)/python -m pytest -n 0 --collect-only >/dev/null || true

types:
	$(BIN)/mypy --num-workers 2

style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo

soak: export SALA_SOAK := $(SEQUENCES)
soak: .venv/.ok tools      ## all tests in their whole breadth, thousands of new sequences of deeds, long storms: for an evening (SEQUENCES=20 for the breadth alone)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(SOAKED)

audit: .venv/.ok           ## every pinned version held against published advisories; says so where no source answers
	@$(BIN)/python tests/advisories.py

bench: .venv/.ok           ## the site measured beside its limits, with a table under bench/results; ROW=name for one row
	$(BIN)/python -m bench $(ROW)

run: .venv/.ok             ## a loaded forum on http://127.0.0.1:8000 (PORT and DATABASE_URL are honoured)
	@$(BIN)/sala run --port $(PORT)

fmt: .venv/.ok             ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

migrate: .venv/.ok         ## bring the database to the newest schema
	$(BIN)/sala migrate

screenshots: .venv/.ok     ## make the README's pictures again
	$(BIN)/python docs/screenshots.py

lock: .venv/.ok            ## choose versions anew: names, versions and hashes, no addresses
	$(BIN)/uv pip compile pyproject.toml --extra traces --group dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --upgrade --quiet -o requirements.lock

tools:                     ## PostgreSQL and Chromium for the tests that use them (a soak: PgBouncer and Caddy too), where we may install
	@sh tests/tools.sh

clean:
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.venv/.ok: pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Sala needs Python 3.11 or newer with pip and venv."; exit 1; }
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install -q --disable-pip-version-check uv \
		|| { $(PYTHON) -m venv --clear .venv && $(BIN)/python -m pip install -q uv; }
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
