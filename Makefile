# relay: everything there is to do here. `make` alone explains itself.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --upgrade

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench lock clean

help: ## Print this
	@awk -F ': .*## ' '/^[a-z]+: .*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything into .venv; every other target does so when it has to

$(READY): requirements/dev.txt .ci/setup
	@.ci/setup $(PYTHON)
	@touch $@

demo: $(READY) ## Tell the whole story on embedded services, then stay up; ARGS=--once ends after it
	@$(VENV)/bin/relay demo $(ARGS)

test: $(READY) ## Run every test; ARGS='-k upload' a few
	@$(VENV)/bin/python -m pytest $(ARGS)

check: $(READY) ## Lint, format, types, direction of imports, SQL
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/sqlfluff lint relay/storage

bench: $(READY) ## Measure relay against its peers; JSON=FILE writes the figures there, too
	@$(VENV)/bin/python -m bench $(if $(JSON),--json $(JSON))

lock: $(READY) ## Pin the newest versions that pyproject.toml allows, with their hashes
	$(LOCK) pyproject.toml --output-file requirements/relay.txt
	$(LOCK) pyproject.toml --extra embedded --output-file requirements/embedded.txt
	$(LOCK) pyproject.toml --extra dev --output-file requirements/dev.txt
	echo hatchling | $(LOCK) - --constraints requirements/dev.txt --output-file requirements/build.txt

clean: ## Remove what set-up, tests and the demo left here, the demo's data too
	rm -rf $(VENV) .cache .relay dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
