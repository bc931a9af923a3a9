# The only way in for people: `make` lists what there is.
UV_VERSION := 0.13.9
PYTHON ?= python3
BIN := .venv/bin
UV := $(or $(shell command -v uv 2>/dev/null),.venv/.uv/bin/uv)

.DEFAULT_GOAL := help
.PHONY: help setup temporal demo up test lint check format bench bench-audiences clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/.ready ## The virtual environment, exactly as uv.lock says
	@:

.venv/.ready: uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	@$(MAKE) --no-print-directory $(UV)
	UV_PYTHON_DOWNLOADS=never $(UV) sync --frozen --quiet --compile-bytecode --python $(BIN)/python
	@touch $@

# Where no uv is on PATH: in an environment of its own, or a folder where Debian split venv off.
.venv/.uv/bin/uv:
	@echo "Fetching uv $(UV_VERSION)."
	@{ $(PYTHON) -m venv .venv/.uv && .venv/.uv/bin/pip install -q uv==$(UV_VERSION); } || \
		$(PYTHON) -m pip install -q --target .venv/.uv uv==$(UV_VERSION)

temporal: setup
	@$(BIN)/python -P -c 'from embedded import program; from settings import load; program.find(load().temporal_cli)'

demo: temporal ## Real journeys on real servers, weeks in minutes
	$(BIN)/parcours demo

up: temporal ## Everything on this machine until Ctrl-C, data kept
	$(BIN)/parcours up

test: temporal ## Every test
	$(BIN)/pytest

lint: setup ## Format, rules, imports, types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/mypy .

check: lint ## All of lint and the fast tests, in under a minute
	$(BIN)/pytest -m "not slow" tests/test_*.py tests/pure tests/history tests/database tests/http

format: setup ## Let the linter put right what it can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: temporal ## How fast it is on this machine, into bench/results
	$(BIN)/python -m bench

bench-audiences: temporal ## The same for audiences, on a million customers
	$(BIN)/python -m bench.audiences

clean: ## Remove what was made here; data in .parcours stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
