# Everything a fresh clone needs: `make run` serves, `make test` checks it all.

.DEFAULT_GOAL := help

# The newest Python that can make an environment; `make PYTHON=/some/python3 run` overrides it.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; exit; }; done; echo python3)

VENV := .venv
CLIENTS := .venv-clients
DOCS := .venv-docs
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=

# Kept bytecode, as Python does by itself: tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

# What the tests need besides Python packages, named as Debian names them.
DEBIAN_TEST := chromium curl git
DEBIAN_NPM := nodejs npm
DEBIAN_BENCH := nginx-light wrk

.PHONY: help run install install-test test lint floors bench bench-peers docs test-clients lock clean
.PHONY: test-npm-clients test-vscode node

help:
	@echo "make run           serve on http://127.0.0.1:4400 (ARGS=... are passed on)"
	@echo "make test          every check and test"
	@echo "make install       the environment alone, in $(VENV)"
	@echo "make lint          the checks without the tests"
	@echo "make bench         the bench; make bench-peers installs what it is compared with"
	@echo "make docs          the pages that are made from the code, and all of them as a site in site/"
	@echo "make test-clients  foreign programs, each in its own environment"
	@echo "make test-vscode   the extension for VS Code"
	@echo "make lock          newest versions into requirements/*.txt"
	@echo "make clean         remove all that make made"

run: $(VENV)/.installed
	@exec $(BIN)/spillover serve $(ARGS)

# ---- the environment: each stamp is as new as what it was made from ----
# The locks are whole, so pip looks for nothing beside them (it would miss that a pin is one of an extra).

install: $(VENV)/.installed

install-test: $(VENV)/.installed $(VENV)/.tested

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.locked: requirements/run.txt requirements/build.txt | $(BIN)/python
	$(PIP) install --no-deps --require-hashes -r requirements/build.txt
	$(PIP) install --no-deps --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.tested: requirements/test.txt $(VENV)/.locked
	@scripts/debian-packages $(DEBIAN_TEST)
	$(PIP) install --no-deps --require-hashes -r requirements/test.txt
	@touch $@

$(VENV)/.benched: requirements/bench.txt $(VENV)/.installed $(VENV)/.tested
	$(PIP) install --no-deps --require-hashes -r requirements/bench.txt
	@touch $@

# ---- checks: all of them run, whichever fails ----

test: install-test
	@status=0; \
	$(MAKE) --no-print-directory lint || status=1; \
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=json --cov-report=term:skip-covered $(ARGS) || status=1; \
	$(MAKE) --no-print-directory floors || status=1; \
	exit $$status

lint: install-test
	@status=0; \
	$(BIN)/ruff check || status=1; \
	$(BIN)/ruff format --check || status=1; \
	$(BIN)/mypy || status=1; \
	$(BIN)/lint-imports || status=1; \
	exit $$status

floors:
	@$(BIN)/python scripts/coverage_floors.py coverage.json

# ---- now and then ----

bench: $(VENV)/.benched
	@scripts/debian-packages $(DEBIAN_BENCH)
	$(BIN)/python -m bench --profile $(ARGS)

bench-peers: install-test
	$(BIN)/python -m bench.peers $(ARGS)

# The generated pages first; then all of them as a site, which stops at a broken link.
docs: install $(DOCS)/.installed
	$(BIN)/python -m spillover.config.reference docs/configuration.md
	$(BIN)/python -m spillover.catalogue.guide_page docs/errors.md
	$(BIN)/python -m spillover.catalogue.clients_page docs/clients.md
	$(BIN)/python -m spillover.simulator.days.page docs/cooldown.md
	$(BIN)/python -m spillover.catalogue.providers_page docs/providers.md
	$(BIN)/python -m spillover.doctor.table docs/doctor.md
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict
	@echo "the site is in site/: open site/index.html, or run $(DOCS)/bin/mkdocs serve to search it too"

$(DOCS)/.installed: requirements/docs.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r $<
	@touch $@

PYTHON_CLIENTS := frameworks litellm sdks

# Aider takes no newer Python: where there is none of these, it is left out.
AIDER_PYTHON = $(shell for python in python3.12 python3.11; do \
	$$python -c 'import ensurepip, venv' 2>/dev/null && { echo $$python; exit; }; done)

test-clients: install-test $(PYTHON_CLIENTS:%=$(CLIENTS)/%/.installed)
	PYTHONPATH=src $(CLIENTS)/sdks/bin/python -m tests.clients.sdk_types
	$(BIN)/python -m tests.clients.every_dialect $(CLIENTS)/sdks/bin/python
	PYTHONPATH=src $(CLIENTS)/sdks/bin/python -m tests.clients.in_process \
		"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	$(BIN)/python -m tests.clients.litellm_proxy $(CLIENTS)/litellm/bin/litellm
	$(BIN)/python -m tests.clients.snippets $(foreach each,sdks frameworks litellm,$(CLIENTS)/$(each)/bin/python)
	@$(if $(AIDER_PYTHON),$(MAKE) --no-print-directory PYTHON=$(AIDER_PYTHON) $(CLIENTS)/aider/.installed,\
		echo "Aider is left out: it needs Python 3.11 or 3.12")
	$(BIN)/python -m tests.clients.programs $(CLIENTS)/frameworks/bin/llm $(if $(AIDER_PYTHON),$(CLIENTS)/aider/bin/aider)

$(CLIENTS)/aider/.installed: requirements/clients-aider.txt
$(CLIENTS)/frameworks/.installed: requirements/clients-frameworks.txt
$(CLIENTS)/litellm/.installed: requirements/bench-peers.txt
$(CLIENTS)/sdks/.installed: requirements/clients.txt

# The locks are whole, and pip takes them for incomplete where one package asks for another's extra.
$(CLIENTS)/%/.installed:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r $<
	@touch $@

# ---- the same, of programs from npm: each has its package and its lock in tests/clients/npm ----

NPM_AGENTS := claude-code codex gemini-cli opencode qwen-code
NPM_CLIENTS := npm-sdks $(NPM_AGENTS)

test-clients: test-npm-clients

test-npm-clients: install-test $(NPM_CLIENTS:%=$(CLIENTS)/%/.installed)
	$(BIN)/python -m tests.clients.npm_sdks $(CLIENTS)/npm-sdks
	$(BIN)/python -m tests.clients.npm_agents $(NPM_AGENTS:%=$(CLIENTS)/%)

# Scripts of packages are not run, but for the one that puts OpenCode's program where it is started.
$(NPM_CLIENTS:%=$(CLIENTS)/%/.installed): $(CLIENTS)/%/.installed: tests/clients/npm/%/package-lock.json | node
	rm -rf $(@D) && mkdir -p $(@D) && cp $(<D)/package*.json $(@D)
	npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	$(if $(filter opencode,$*),npm rebuild --prefix $(@D) opencode-ai --loglevel=error)
	@touch $@

node:
	@scripts/debian-packages $(DEBIAN_NPM)
	@node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' \
		|| { echo "Node 20 or newer is needed for what comes from npm." >&2; exit 1; }

# ---- the extension for VS Code: against a gateway of this environment ----

VSCODE := editors/vscode

test-clients: test-vscode

test-vscode: install $(VSCODE)/node_modules/.installed
	SPILLOVER_PYTHON=$(abspath $(BIN)/python) npm test --prefix $(VSCODE) --silent

$(VSCODE)/node_modules/.installed: $(VSCODE)/package-lock.json | node
	npm ci --prefix $(VSCODE) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Needs uv on the path; the lock names versions and hashes, never where they come from.
UV_COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --upgrade \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url

lock:
	$(UV_COMPILE) --group pyproject.toml:build -o requirements/build.txt
	$(UV_COMPILE) pyproject.toml --extra keyring --extra notify --extra sdk -o requirements/run.txt
	$(UV_COMPILE) pyproject.toml --extra keyring --extra notify --extra sdk --group test \
		-c requirements/run.txt -c requirements/build.txt -o requirements/test.txt
	$(UV_COMPILE) --group pyproject.toml:docs -o requirements/docs.txt
	$(UV_COMPILE) --group pyproject.toml:bench -o requirements/bench.txt
	$(UV_COMPILE) --group pyproject.toml:bench-peers -o requirements/bench-peers.txt
	$(UV_COMPILE) --group pyproject.toml:clients -o requirements/clients.txt
	$(UV_COMPILE) --group pyproject.toml:clients-frameworks -o requirements/clients-frameworks.txt
	$(UV_COMPILE) --group pyproject.toml:clients-aider -o requirements/clients-aider.txt
	$(PYTHON) scripts/lock_npm.py $(NPM_CLIENTS:%=tests/clients/npm/%) $(VSCODE)

clean:
	rm -rf $(VENV) $(CLIENTS) $(DOCS) site dist htmlcov coverage.json .coverage .coverage.* bench/.peers
	rm -rf $(VSCODE)/node_modules $(VSCODE)/out $(VSCODE)/*.vsix
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
