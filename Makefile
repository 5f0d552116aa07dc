# `make demo` and `make test` do all the set-up on a machine that has Python 3.11 and nothing else.
.DEFAULT_GOAL := help
.PHONY: help install graphiql demo test check format lock schema clients audit bench chaos soak fuzz clean

PYTHON ?= python3
BIN := .venv/bin
# The system's certificates, so that a network with an authority of its own works too.
UV := $(BIN)/uv --system-certs --quiet

help:  ## Show what each command does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.11"
	$(UV) pip sync --python $(BIN)/python requirements.lock
	$(UV) pip install --python $(BIN)/python --no-deps --editable .
	touch $@

install: .venv/installed  ## Install the locked dependencies into .venv

graphiql: portal/static/graphiql/index.html  ## Build GraphiQL's assets with npm, where npm is present

GRAPHIQL_SOURCES := $(wildcard portal/graphiql/*.json portal/graphiql/*.mjs portal/graphiql/*.html portal/graphiql/src/*)
portal/static/graphiql/index.html: $(GRAPHIQL_SOURCES)
	@if command -v npm >/dev/null 2>&1; then \
	  (cd portal/graphiql && npm ci --no-audit --no-fund --silent && npm run --silent build) \
	    || echo "GraphiQL could not be built: a plain query page replaces it."; \
	else echo "npm is absent: a plain query page replaces GraphiQL."; fi

demo: install  ## Start the API and the simulated providers, and answer one profile
	@exec $(BIN)/graphe demo

check: install  ## Lint, type-check, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## Check everything, then run every test
	$(BIN)/python -m pytest -n auto --dist loadfile

format: install  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: install  ## Regenerate schema.graphql and its reference
	$(BIN)/graphe schema --fichier schema.graphql --reference docs/schema.md

clients: install  ## Install the real clients that tests run, beside our environment
	cd tests/clients/node && npm ci --no-audit --no-fund --silent
	$(UV) venv --allow-existing --python $(BIN)/python tests/clients/python/.venv
	$(UV) pip install --python tests/clients/python/.venv/bin/python -r tests/clients/python/requirements.txt

audit: install clients  ## Audit GraphQL over HTTP in two profiles
	$(BIN)/python -m tests.surface.audit

lock: install  ## Choose again the versions of all dependencies
	$(UV) pip compile --universal --upgrade --extra dev --no-emit-index-url --generate-hashes pyproject.toml -o requirements.lock

fuzz: install  ## Compare and feed with random documents, data and bytes, at length
	GRAPHE_FUZZ_EXAMPLES=2000 $(BIN)/python -m pytest tests/datasets/test_parse_fuzz.py
	$(BIN)/python -m pytest -m fuzz

bench: install  ## Measure speed (minutes); figures are kept in bench/
	$(BIN)/python -m bench

chaos: install  ## Take everything away under load and count what is lost: nothing (3 minutes)
	$(BIN)/python -m bench.chaos

soak: install  ## Watch what one process holds under load: it must not grow (45 minutes)
	$(BIN)/python -m bench.soak

clean:  ## Remove what was installed and built
	rm -rf .venv var portal/static/graphiql portal/graphiql/node_modules
