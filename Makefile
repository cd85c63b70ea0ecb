# Wants Python 3.11 or newer, make and a package index. Everything else comes from the locks, into .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Where it is set, each of the hundreds of processes that the tests start would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
ROOMS := opsmon screens store tasks migrations tests

# The first that is new enough; `make PYTHON=... setup` overrules it.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

# One more than cores, since some tests wait. Who has nothing left to do takes from the others.
TEST_ARGS ?= -n 3 --dist worksteal
# What is pure, the store on SQLite, and the screens: no process, no server, no picture.
QUICK_PLACES := tests/store tests/screens tests/tasks/sdk tests/test_house.py tests/test_laws.py tests/test_mutants.py \
	$(addprefix tests/opsmon/,test_settings.py test_output.py cli/test_usage.py)
QUICK := not (kill or worker or terminal or wheel or picture or postgresql or benchmark)
# What the locks are made with. The oldest Python, whose needs include those of the newer ones.
PIP_TOOLS := pip-tools==7.6.2

.PHONY: help setup setup-dev run quick test proof check format bench mutants man lock clean

help:
	@echo "make run      opens the demo"
	@echo "make test     runs every test on SQLite and on PostgreSQL   (ARGS='-k worker' adds arguments)"
	@echo "make quick    the tests that need no process, no server and no picture"
	@echo "make proof    every test at length: twenty times the examples, whole crowds, large tables"
	@echo "make check    formatter, linter, types, import laws"
	@echo "make mutants  makes wrong changes in a copy, one at a time, and sees that a test notices each"
	@echo "make man      writes the man page build/opsmon.1, made of the command line's grammar"
	@echo "make setup | setup-dev | format | bench | lock | clean"

# ---- the environment: a stamp a step, so that nothing is done twice

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "opsmon needs Python 3.11 or newer: install it, or say 'make PYTHON=/path/to/python3 setup'" >&2; exit 1; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { echo "opsmon needs Python 3.11 or newer: $(PYTHON) is not" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv and ensurepip modules (Debian: python3-venv)" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

# pip takes no hashes together with an editable install, hence two steps. The build backend is in the lock.
$(VENV)/.runtime: $(VENV)/.made requirements.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime
setup-dev: $(VENV)/.dev

# ---- what people do

run: setup
	@$(BIN)/opsmon demo

quick: setup-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "$(QUICK)" $(QUICK_PLACES) $(ARGS)

test: setup-dev
	$(BIN)/python -m pytest $(TEST_ARGS) $(ARGS)

# Twenty times the examples, whole crowds and large tables: some minutes to an hour.
proof: setup-dev
	$(BIN)/python -m pytest $(TEST_ARGS) --proof $(ARGS)

check: setup-dev
	$(BIN)/ruff format --check $(ROOMS)
	$(BIN)/ruff check $(ROOMS)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup-dev
	$(BIN)/ruff format $(ROOMS)
	$(BIN)/ruff check --fix --exit-zero $(ROOMS)

bench: setup-dev
	$(BIN)/python -m tests.benchmarks $(ARGS)

mutants: setup-dev
	$(BIN)/python -m tests.mutants $(ARGS)

man: setup-dev
	mkdir -p build
	$(BIN)/argparse-manpage --module opsmon.cli.parser --function make_parser --project-name opsmon --prog opsmon \
		--description "monitor, start and retry long-running tenant operations" --manual-title "opsmon" --output build/opsmon.1

# ---- the locks: names, versions, hashes; never an index. UPGRADE=1 takes the newest versions that fit.

COMPILE = CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/python -m piptools compile --quiet --generate-hashes \
	--allow-unsafe --strip-extras --no-emit-options \
	--annotation-style line $(if $(UPGRADE),--upgrade)

lock:
	python3.11 -m venv --clear build/lock
	build/lock/bin/python -m pip --disable-pip-version-check install --quiet "$(PIP_TOOLS)"
	$(COMPILE) --build-deps-for editable --output-file requirements.lock pyproject.toml
	$(COMPILE) --all-extras --build-deps-for editable --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
	find $(ROOMS) -name __pycache__ -type d -prune -exec rm -rf {} +
