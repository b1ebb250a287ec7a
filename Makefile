# Everything a developer does here, by name; `make help` lists it.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# How many tests run at once: make check JOBS=8; one more than processors, since many wait
export JOBS ?= 3
# Warnings are errors, links that lead nowhere among them.
SITE := $(BIN)/sphinx-build -M html docs docs/_build -q -n -W --keep-going
PYTHON = $$(sh tests/interpreters.sh first)

.DEFAULT_GOAL := help
.PHONY: help demo test check fmt lint types imports spelling unit integration reference man pictures docs docs-check bench build image zipapp lock cov clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.made: pyproject.toml tests/interpreters.sh
	@test -n "$(PYTHON)" || { echo "error: no Python of version 3.10 or later was found" >&2; \
		echo "hint: install one, on Debian with: apt-get install python3 python3-venv" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
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

demo: $(VENV)/.made ## Show the main job at work, in under a minute
	@$(BIN)/python docs/demo.py

test: $(VENV)/.dev ## Set up everything and pass the tests, on the oldest and newest Python too
	@sh tests/interpreters.sh unit
	$(BIN)/pytest -n $(JOBS) --dist worksteal

check: $(VENV)/.dev lint types imports spelling docs-check test ## Everything that must hold before a change is good

fmt: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.dev ## Check format and rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev ## Check types, of the package also as Windows and macOS have them
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 ghcrctl
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin ghcrctl

imports: $(VENV)/.dev ## Check which room imports which
	$(BIN)/lint-imports

spelling: $(VENV)/.dev ## Check spelling
	$(BIN)/codespell ghcrctl tests docs README.md Makefile

unit: $(VENV)/.dev ## Run the quick tests
	$(BIN)/pytest tests/unit tests/properties

integration: $(VENV)/.dev ## Run the tests that talk to other registries and clients
	$(BIN)/pytest tests/integration

cov: $(VENV)/.dev ## Run the tests and show what they leave out
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered

reference: $(VENV)/.dev ## Generate the pages and pictures that the code knows better
	$(BIN)/python docs/generate.py
	$(BIN)/python -m tests.faults.page
	$(BIN)/python -m tests.pictures

man: $(VENV)/.dev ## Generate the manual pages, and let groff find what is wrong with them
	$(BIN)/python docs/generate.py
	@for page in docs/man/*.1; do groff -ww -man -Tutf8 -K utf8 "$$page" >/dev/null || exit 1; done

pictures: $(VENV)/.dev ## Draw the pictures of the documentation alone, from real runs
	$(BIN)/python -m tests.pictures

docs: reference ## Generate the reference and build the site into docs/_build/html
	$(SITE)

docs-check: $(VENV)/.dev ## Check that the reference is in step with the code and that the site builds
	$(BIN)/python docs/generate.py --check
	$(BIN)/python -m tests.faults.page --check
	$(SITE)

bench: $(VENV)/.dev ## Measure speed and memory beside other clients
	$(BIN)/python -m tests.bench --write docs/benchmarks.md

build: $(VENV)/.dev ## Build the wheel, install it in a clean environment and check its size
	@rm -rf dist build/wheel-check
	$(BIN)/python -m build --outdir dist . >/dev/null
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

clean: ## Remove everything that was made
	rm -rf $(VENV) .venvs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
