# What a newcomer types: `make run` and `make test` set up everything that they need, in .venv, from locked packages.
.PHONY: run test lint bench demo screenshots lock clean help

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 run` takes another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
unexport PYTHONDONTWRITEBYTECODE  # each process of a pool would compile the package anew
VENV ?= .venv
BIN = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
PURE = tests/stages tests/archives tests/query tests/test_urls.py tests/test_backoff.py
# The locks name all: pip is to resolve nothing, or a new release of what is asked for with extras breaks the install.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## set up, bring the database to this version, start the daemon (Ctrl-C stops it)
	@$(BIN)/defnews db upgrade
	@exec $(BIN)/defnews run

demo: $(VENV)/.installed ## set up, show the whole job on a simulated internet
	@$(BIN)/defnews demo

test: $(VENV)/.installed-dev ## set up, run the tests; fails when those of the pure part do not cover it
	$(PYTEST) --cov --cov-report= $(PURE)
	$(BIN)/python -m coverage report --fail-under=100
	$(PYTEST) $(addprefix --ignore=,$(PURE))

lint: $(VENV)/.installed-dev ## set up, check style, types, import rules, the Dockerfile and the compose file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pip check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; else echo "hadolint: not on this system"; fi

bench: $(VENV)/.installed-dev ## set up, run every benchmark (ARGS=--quick for small versions)
	@status=0; for script in benchmarks/[a-z]*.py; do \
		echo "== $$script"; $(BIN)/python $$script $(ARGS) || status=1; done; exit $$status

screenshots: $(VENV)/.installed-dev ## set up, take the pictures of docs/images over the demo (needs Chromium)
	$(BIN)/python -m tests.screenshots

secrets: ## make the secret files of docker-compose.yml: the database's password and address, the token for writes
	@mkdir -m 700 $@
	@od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > $@/database_password
	@printf 'postgresql://defnews:%s@db/defnews\n' "$$(cat $@/database_password)" > $@/database_url
	@od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > $@/api_token
	@chmod 644 $@/database_password $@/database_url $@/api_token

lock: ## write the lock files again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean: ## remove what was set up
	rm -rf $(VENV) .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "defnews needs Python 3.11, 3.12 or 3.13; none was found" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
