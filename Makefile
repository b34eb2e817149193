# Everything here needs Python 3.11 or newer, make and a package registry; the rest is set up in
# .venv. Registries and certificates are those that pip (or uv) is configured for on the machine.

PYTHON ?= python3
VENV ?= .venv
export VENV
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
ARGS ?=
# A file's tests share what is dear to make. Folders come in order, whole runs first: a long file at
# the end would leave the other cores idle.
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
LOCK_OPTIONS := --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench up lint format lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Make .venv and install everything that requirements.lock names

demo: $(STAMP) ## Turn a sample chat into people and topics (ARGS="--faces DIR" for own photos)
	$(BIN)/face-archive demo $(ARGS)

# Tests start a hundred processes; where nobody keeps bytecode each compiles Telethon and Dagster
# anew, two seconds of its four.
test: export PYTHONDONTWRITEBYTECODE :=
test: export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/bytecode
test: $(STAMP) ## Run the tests, the slow ones left out (ARGS="-m slow" runs those)
	$(BIN)/python -m pytest -m "not slow" $(SIDE_BY_SIDE) $(ARGS)

bench: $(STAMP) ## Measure what we claim beside its peers (ARGS="--quick vision.photos")
	$(BIN)/python -m benchmarks $(ARGS)

up: $(STAMP) ## Start database, Dagster and listener; Ctrl-C stops them
	$(BIN)/face-archive up $(ARGS)

lint: $(STAMP) ## Style, types, import rules, and that the Dagster definitions load
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	./.ci/check-defs

format: $(STAMP) ## Bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Choose the versions anew (ARGS="--upgrade" for newer ones)
	$(BIN)/uv pip compile pyproject.toml $(LOCK_OPTIONS) $(ARGS) --output-file requirements.lock

clean: ## Remove .venv and the caches of the tools; never any data
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(STAMP): requirements.lock pyproject.toml .ci/setup
	./.ci/setup "$(PYTHON)" "$(VENV)"
	@touch $@
