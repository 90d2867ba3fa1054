# Needs Python 3.11+, a C compiler, git and the package registries; everything else is installed into .venv
# (from requirements.lock, by hash) or, for Go toolchains, into the user's cache.
SHELL := /bin/bash
PYTHON ?= $(shell for v in 3.13 3.12 3.11 3.14 3; do command -v python$$v >/dev/null 2>&1 && \
	python$$v -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && \
	echo python$$v && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
UV := $(BIN)/python -m uv
# Two at a time: tests wait for targets as long as they compute. Neighbours stay together, as they share targets.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -q --durations=10 -n $(WORKERS) --dist worksteal

.PHONY: demo test test-long test-all lab lab-all bench lint format lock env tables

demo: $(STAMP)  ## a leaking Go service, and what goretain says of it
	$(BIN)/python examples/demo/run.py

test: $(STAMP)  ## everything but the long matrix
	$(PYTEST) -m "not long"

test-long: $(STAMP)  ## only the long matrix: experiments, churn, every pattern on every Go version
	$(PYTEST) -m long

test-all: test test-long

lab: $(STAMP)  ## every claim of the laboratory, measured on the oldest, a middle and the newest Go
	$(BIN)/goretain lab run --fresh --go 1.21,1.24,1.27

lab-all: $(STAMP)  ## the same on every supported Go
	$(BIN)/goretain lab run --fresh --go all

bench: $(STAMP)  ## the figures that README and docs quote
	$(BIN)/python -m benchmarks

lint: $(STAMP)  ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(STAMP)  ## rewrite in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

tables: $(STAMP)  ## layouts of the runtime's structs, from every Go release that they are keyed on
	$(BIN)/python tools/layout_tables.py

lock:  ## take newer versions into requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv
	UV_NO_CONFIG=1 $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --upgrade --all-extras \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header -o requirements.lock pyproject.toml \
		requirements-build.in

env: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer with venv found; set PYTHON=/path/to/python" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install -q --disable-pip-version-check uv
	$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
