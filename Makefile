# Tasks for developers; `make help` lists them.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# Number of tests that run in parallel. Many wait for servers and timeouts, so this is more than the
# number of processors. For example: make check JOBS=8
export JOBS ?= 5
# Warnings are errors; -n reports broken references.
SITE := $(BIN)/sphinx-build -M html docs docs/_build -q -n -W --keep-going
PYTHON = $$(sh tests/interpreters.sh first)

.DEFAULT_GOAL := help
.PHONY: help demo test test-pythons check fmt lint types imports spelling unit integration reference man pictures docs docs-check bench build image zipapp lock cov clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.made: pyproject.toml tests/interpreters.sh
	@test -n "$(PYTHON)" || { echo "error: cannot find Python 3.10 or later" >&2; \
		echo "hint: install one, on Debian with: apt-get install python3 python3-venv" >&2; exit 1; }
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "hint: on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable ".[serve]"
	@touch $@

$(VENV)/.dev: $(VENV)/.made
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(VENV)/.release: $(VENV)/.made
	@$(BIN)/python -m pip install --quiet --group release
	@touch $@

demo: $(VENV)/.made ## Show the main features in about a minute
	@$(BIN)/python docs/demo.py

test: $(VENV)/.dev ## Set up everything and run the tests
	@$(BIN)/pytest -q -n $(JOBS) --dist worksteal

test-pythons: $(VENV)/.dev ## Run the unit tests on the oldest and newest supported Python
	@sh tests/interpreters.sh unit

check: $(VENV)/.dev ## Run all checks and tests, one line per step
	@sh tests/check.sh lint types imports spelling docs-check test

fmt: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.dev ## Check formatting and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev ## Check types, also for Windows and macOS
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 ghcrctl
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin ghcrctl

imports: $(VENV)/.dev ## Check the import rules
	$(BIN)/lint-imports

spelling: $(VENV)/.dev ## Check spelling
	$(BIN)/codespell ghcrctl tests docs README.md Makefile

unit: $(VENV)/.dev ## Run the unit tests
	$(BIN)/pytest tests/unit tests/properties

integration: $(VENV)/.dev ## Run the tests with other registries and clients
	$(BIN)/pytest tests/integration

cov: $(VENV)/.dev ## Run the tests and show uncovered lines
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered

reference: $(VENV)/.dev ## Generate reference pages and pictures from the code
	$(BIN)/python docs/generate.py
	$(BIN)/python -m tests.faults.page
	$(BIN)/python -m tests.pictures

man: $(VENV)/.dev ## Generate the man pages and check them with groff
	$(BIN)/python docs/generate.py
	@for page in docs/man/*.1; do groff -ww -man -Tutf8 -K utf8 "$$page" >/dev/null || exit 1; done

pictures: $(VENV)/.dev ## Generate only the pictures, from real runs
	$(BIN)/python -m tests.pictures

docs: reference ## Build the documentation site in docs/_build/html
	$(SITE)

docs-check: $(VENV)/.dev ## Check that the reference is up to date and the site builds
	$(BIN)/python docs/generate.py --check
	$(BIN)/python -m tests.faults.page --check
	$(SITE)

bench: $(VENV)/.dev ## Compare speed and memory with other clients
	$(BIN)/python -m tests.bench --write docs/benchmarks.md

build: $(VENV)/.dev ## Build the wheel, install it in a clean environment and check its size
	@rm -rf dist build/wheel-check
	@$(BIN)/python -m release.distributions
	$(BIN)/python -m venv build/wheel-check
	build/wheel-check/bin/pip install --quiet dist/*.whl
	build/wheel-check/bin/ghcrctl --version
	build/wheel-check/bin/ghcrctl --help >/dev/null
	@$(BIN)/python -m release.weight build/wheel-check

image: $(VENV)/.release ## Build the image of ghcrctl; BASE=IMAGE and TAG=NAME select base and name
	@$(BIN)/python -m release.image $(if $(BASE),--base "$(BASE)") $(if $(TAG),--tag "$(TAG)")

zipapp: $(VENV)/.release ## Build ghcrctl as a single file for this Python and kind of machine
	@$(BIN)/python -m release.single_file

lock: $(VENV)/.release ## Update the hash-locked requirements; UPGRADE=1 for the latest versions
	@$(BIN)/python -m release.lock $(if $(UPGRADE),--upgrade)

clean: ## Remove all generated files
	rm -rf $(VENV) .venvs build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
