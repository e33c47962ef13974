# relay: everything there is to do here. `make` alone explains itself.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
PACKAGES := web/node_modules/.package-lock.json
CLIENTS := $(VENV)/clients/.ready
SECURITY := $(VENV)/security/.ready
FUZZER := $(VENV)/fuzz/.ready
SITE := site
PAGES := relay/pages/integrity.json
SOURCES := $(filter-out web/src/client/schema.d.ts, $(shell find web/src -type f)) $(wildcard web/*.*) $(wildcard relay/crypto/wordlists/*.txt) docs/openapi.yaml
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url $(if $(PACKAGE),--upgrade-package $(PACKAGE),--upgrade)
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadgroup
MEASURED := not (browsers or faults or builds)
FAST := not (own_relay or browsers or faults or media or builds or slow)
# Every process of the tests starts with compiled modules, also where the environment keeps none.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup clients pages demo dev test test-code test-pages quick quick-code quick-pages quick-tests check check-security audit sbom fuzz fuzz-pages fuzz-api timing faults hostile coverage bench load docs screenshots lock clean

help: ## Print this
	@awk -F ': .*## ' '/^[a-z-]+: .*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything into .venv; every other target does so when it has to

$(READY): requirements/dev.txt .ci/setup
	@.ci/setup $(PYTHON)
	@touch $@

$(PACKAGES): web/package-lock.json web/package.json | $(READY)
	@echo "Installing the locked packages of the pages"
	@.ci/npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# Apart from .venv, as the generator asks for an older typer than relay does.
clients: $(CLIENTS)

$(CLIENTS): requirements/clients.txt | $(READY)
	@echo "Installing what generates a client from docs/openapi.yaml"
	@$(VENV)/bin/python -m venv --clear $(VENV)/clients
	@$(VENV)/clients/bin/python -m pip --quiet --disable-pip-version-check --no-input install --require-hashes --only-binary :all: --requirement $<
	@touch $@

# Apart from .venv, as semgrep asks for other versions of what relay has.
$(SECURITY): requirements/security.txt | $(READY)
	@echo "Installing what looks for mistakes and lists what relay is made of"
	@$(VENV)/bin/python -m venv --clear $(VENV)/security
	@$(VENV)/security/bin/python -m pip --quiet --disable-pip-version-check --no-input install --require-hashes --only-binary :all: --requirement $<
	@touch $@

# Beside .venv, and only for `make fuzz`: it has no wheel for every machine that runs the tests.
$(FUZZER): requirements/fuzz.txt | $(READY)
	@echo "Installing what looks for inputs that take other ways through the code"
	@rm -rf $(VENV)/fuzz
	@$(VENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input install --require-hashes --only-binary :all: --no-deps --target $(VENV)/fuzz --requirement $< \
		|| { echo "atheris has no wheel for this machine: FUZZ_RUNS=2000 $(VENV)/bin/python -m pytest tests/fuzzing changes inputs without looking at the code"; exit 1; }
	@touch $@

pages: $(PAGES) ## Build the pages into relay/pages; every other target does so when it has to

$(PAGES): $(SOURCES) $(PACKAGES)
	@echo "Building the pages"
	@.ci/npm run --silent build

demo: $(READY) $(PAGES) ## Tell the whole story on embedded services, then stay up; ARGS=--once ends after it
	@$(VENV)/bin/relay demo $(ARGS)

dev: $(READY) $(PAGES) ## Run relay with demo data, and follow what is saved; ARGS='--port 8000' chooses a port
	@$(VENV)/bin/python -m dev $(ARGS)

test: $(READY) $(PAGES) $(CLIENTS) $(SECURITY) ## Run every test; ARGS='-k upload' a few of those in Python
	@.ci/browsers
	@$(MAKE) --no-print-directory --jobs --keep-going $(if $(ARGS),,test-pages) test-code

test-code:
	@$(VENV)/bin/python -m pytest $(PARALLEL) $(ARGS)

test-pages:
	@.ci/aside .ci/npm test

quick: $(READY) $(PACKAGES) ## Check types and lint, and run the tests that say most in two to three minutes; ARGS as above
	@mkdir -p .cache
	@$(MAKE) --no-print-directory --jobs --keep-going quick-code quick-pages quick-tests

quick-code:
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@.ci/aside $(VENV)/bin/mypy
	@.ci/aside $(VENV)/bin/lint-imports

quick-pages:
	@.ci/aside .ci/npm run --silent quick

quick-tests:
	@$(VENV)/bin/python -m pytest $(PARALLEL) -m '$(FAST)' $(ARGS)

check: $(READY) $(PACKAGES) ## Lint, format, types, direction of imports, SQL
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/sqlfluff lint relay/storage
	.ci/npm run --silent check

check-security: $(SECURITY) $(PACKAGES) ## Look for mistakes that leak or let in, secrets in files, and unknown licences; without a network
	@$(VENV)/bin/python -m dev.security

audit: $(SECURITY) $(PACKAGES) ## Ask what is known of flaws in what relay is made of; needs a network
	@$(VENV)/bin/python -m dev.audit

sbom: $(SECURITY) $(PACKAGES) ## List what relay is made of, as CycloneDX 1.6, into dist/; without a network
	@$(VENV)/security/bin/python -m dev.sbom dist

coverage: $(READY) $(PAGES) ## Measure which branches of the rules and the protocol the tests without a browser take
	@rm -rf .cache/coverage .cache/coverage.* .cache/branches.json
	@$(VENV)/bin/coverage run -m pytest $(PARALLEL) -m '$(MEASURED)' $(ARGS)
	@$(VENV)/bin/coverage combine --quiet
	@$(VENV)/bin/coverage report
	@$(VENV)/bin/coverage json --quiet -o .cache/branches.json
	@$(VENV)/bin/python -m dev.coverage .cache/branches.json
	@.ci/npm run --silent coverage

fuzz: $(FUZZER) ## Give every parser inputs that take new ways through it, for MINUTES=10; SECONDS=60 each, SEED, TARGETS='links notes'
	@PYTHONPATH=$(VENV)/fuzz MINUTES='$(MINUTES)' SECONDS='$(SECONDS)' SEED='$(SEED)' JOBS='$(JOBS)' TARGETS='$(TARGETS)' INPUT='$(INPUT)' KEEP='$(KEEP)' $(VENV)/bin/python -m tests.fuzzing

fuzz-pages: $(PACKAGES) ## Change the same inputs FUZZ_RUNS=20000 times each, and read them with the code of the pages
	@FUZZ_RUNS=$(or $(FUZZ_RUNS),20000) .ci/npm run --silent fuzz

fuzz-api: $(READY) ## Send relay generated requests, others each time, for about ten minutes; EXAMPLES=300 for longer
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),80) $(VENV)/bin/python -m pytest --numprocesses 2 --timeout 0 tests/http/test_fuzz_api.py $(ARGS)

timing: $(READY) ## Ask for what must not be told apart two thousand times, and print how long it took; ROUNDS=5000 for more
	@TIMED_ROUNDS=$(or $(ROUNDS),2000) $(VENV)/bin/python -m pytest --timeout 0 -q tests/http/test_time.py $(ARGS)

faults: $(READY) $(PAGES) ## Let everything fail under a whole relay, RUNS=100 times, from SEED on; a line for each run
	@.ci/browsers
	@RUNS='$(RUNS)' SEED='$(SEED)' $(VENV)/bin/python -m tests.faults

hostile: $(READY) ## Send some 1,290 hostile recordings through one worker, and tell the figures; HOSTILE=100 so many of them
	@HOSTILE=$(or $(HOSTILE),0) $(VENV)/bin/python -m pytest --timeout 0 tests/hostile $(ARGS)

bench: $(READY) $(PAGES) ## Measure relay against its peers; ARGS='letters scale' only these, JSON=FILE for a file
	@.ci/browsers
	@$(VENV)/bin/python -m bench $(if $(JSON),--json $(JSON)) $(ARGS)

load: $(READY) $(PAGES) ## Have a thousand people at work on one relay for ten minutes, with bars; SECONDS=60, SEED=17, JSON=FILE
	@$(VENV)/bin/python -m bench.load --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED)) $(if $(JSON),--json $(JSON))

docs: $(READY) $(PACKAGES) ## Build the documentation into site/, to read in a browser
	@rm -rf $(SITE)
	@$(VENV)/bin/sphinx-build --quiet --fresh-env --fail-on-warning -c docs/site -d .cache/docs . $(SITE)

screenshots: $(READY) $(PAGES) ## Take a picture of every page, in both languages and two sizes, into screenshots/
	@.ci/browsers
	@$(VENV)/bin/python -m tests.support.browser.screenshots

lock: $(READY) ## Pin the newest versions that pyproject.toml allows, with their hashes; PACKAGE=name only that one
	$(LOCK) pyproject.toml --extra worker --extra traces --output-file requirements/relay.txt
	$(LOCK) pyproject.toml --extra embedded --output-file requirements/embedded.txt
	$(LOCK) pyproject.toml --extra dev --output-file requirements/dev.txt
	printf 'openapi-python-client\ntypes-python-dateutil\n' | $(LOCK) - --output-file requirements/clients.txt
	printf 'bandit\ncyclonedx-bom\ndetect-secrets\npip-audit\nsemgrep\n' | $(LOCK) --no-strip-extras - --output-file requirements/security.txt
	printf "atheris<3.1; python_version < '3.12'\natheris>=3.1; python_version >= '3.12'\n" | $(LOCK) - --output-file requirements/fuzz.txt
	echo hatchling | $(LOCK) - --constraints requirements/dev.txt --output-file requirements/build.txt

clean: ## Remove what set-up, tests and the demo left here, the demo's data too
	rm -rf $(VENV) web/node_modules tests/clients/node_modules tests/clients/foreign-host/node_modules tests/clients/foreign-host/data tests/interop/node_modules relay/pages site .cache .relay dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
