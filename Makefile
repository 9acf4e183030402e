# Needs Python 3.11 or newer and make; everything else is installed into .venv.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
PY := $(BIN)/python
# Workers for make test: N=0 runs in one process, N=auto uses every core.
N ?= 2
PYTEST_ARGS ?=
export PORT

.DEFAULT_GOAL := help
.PHONY: help run reset test mutants races hammer check lint fix lock openapi screens .run-env .dev-env

help:  ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

run: .run-env  ## Start everything with demo data on http://localhost:8000 (PORT=...)
	@exec $(PY) -m handoff.serve

reset: .run-env  ## Stop make run and throw the embedded data away
	@exec $(PY) -m handoff.serve reset

test: .dev-env  ## The whole test suite (PYTEST_ARGS="-k consent", N=0 for one process)
	@exec $(PY) -m pytest $(if $(filter-out 0,$(N)),-n $(N)) $(PYTEST_ARGS)

mutants: .dev-env  ## Break the policy modules in many ways; a test has to notice each (ONLY=permits)
	@exec $(PY) -m tests.mutants

races: .dev-env  ## Two people at once, some hundred times each (takes long)
	@RACES=full exec $(PY) -m pytest -q tests/races $(PYTEST_ARGS)

hammer: .dev-env  ## Eight readers against one who stops sharing; prints how long stopping takes
	@HAMMER_SECONDS=$${HAMMER_SECONDS:-10} exec $(PY) -m pytest -q -s -p no:randomly \
		tests/races/test_stopping_under_load.py $(PYTEST_ARGS)

check: .dev-env  ## Lint, format, types, contracts, migrations, risky calls, OpenAPI, docs, dependencies
	@exec $(PY) -m handoff.check

lint: .dev-env  ## The quick half of make check: lint and format
	@exec $(PY) -m handoff.check lint format

fix: .dev-env  ## Let ruff repair what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

openapi: .dev-env  ## Write docs/openapi.yaml anew
	$(PY) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

screens: .dev-env  ## Take the screenshots in docs/screens/ anew
	$(PY) -m pytest -q -p no:randomly tests/browser/take_screens.py

LOCK := $(PY) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q
lock: .dev-env  ## Compile the requirements*.in files (LOCK_ARGS=--upgrade for newer versions)
	$(LOCK) $(LOCK_ARGS) requirements-uv.in -o requirements-uv.txt
	$(LOCK) $(LOCK_ARGS) requirements.in -o requirements.txt
	$(LOCK) $(LOCK_ARGS) requirements-run.in -o requirements-run.txt
	$(LOCK) $(LOCK_ARGS) requirements-dev.in -o requirements-dev.txt

.run-env:
	@$(PYTHON) -I handoff/install.py run

.dev-env:
	@$(PYTHON) -I handoff/install.py dev
