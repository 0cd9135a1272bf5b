# Two commands for a newcomer: `make run` and `make test`. Both set up everything they need by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What was installed is remembered by the lock's hash, so a changed lock is installed again.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all:
# django-htmx is there for its files alone, so Django is never installed.
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
  --no-emit-package django --no-emit-package asgiref --no-emit-package sqlparse
WORKERS ?= auto
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check bench data lock clean

help: ## Say what can be done
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

run: $(VENV)/run.ready ## Try the whole line on this machine: a chat page and the console
	@$(BIN)/python -m locales compile
	@$(BIN)/python -m rehearsal.demonstration $(ARGS)

test: $(VENV)/test.ready ## Run all tests (ARGS="-k story" for some)
	@$(BIN)/python -m locales compile
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: $(VENV)/test.ready ## Lint, types, import contract, dependencies, texts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/vulture
	@$(BIN)/python -m locales check
	@echo "All checks passed."

bench: $(VENV)/test.ready ## Measure: sealing, interview, submissions, each beside a ceiling
	@$(BIN)/python -m benchmarks $(ARGS)

data: $(VENV)/data.ready ## Derive the committed tables of words and places anew
	@$(VENV)-data/bin/python -m flows.data.make

lock: ## Renew the hash-pinned locks
	@$(COMPILE) pyproject.toml -o requirements/run.txt
	@$(COMPILE) pyproject.toml --group test -o requirements/test.txt
	@$(COMPILE) requirements/data.in -o requirements/data.txt

clean: ## Forget what was installed; reports and chats of the demonstration stay in var/
	@rm -rf $(VENV) $(VENV)-data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian: apt install python3-venv"; exit 1; }

$(VENV)/run.ready: requirements/run.txt | $(BIN)/python
	@test -e $(VENV)/test.ready -a $(VENV)/test.ready -nt requirements/run.txt \
	  || { echo "Setting up, once…"; $(INSTALL) -r requirements/run.txt; }
	@touch $@

$(VENV)/test.ready: requirements/test.txt | $(BIN)/python
	@echo "Setting up, once…"
	@$(INSTALL) -r requirements/test.txt
	@touch $@

$(VENV)/data.ready: requirements/data.txt | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)-data
	@$(VENV)-data/bin/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: -r requirements/data.txt
	@touch $@
