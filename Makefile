# Everything works again, quickly, on the second run. `make help` lists it.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
RUN := CONSULT_ENV=demo $(BIN)/consult

.DEFAULT_GOAL := help
.PHONY: help demo demo-data test test-sqlite check bench lock translations wheel docs clean format

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

$(VENV)/pip: 
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25"
	@touch $@

$(VENV)/runtime: requirements.lock pyproject.toml | $(VENV)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/test: requirements-test.lock $(VENV)/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

demo-data: $(VENV)/runtime  ## make the default store and load the demonstration
	$(RUN) demo

demo: demo-data  ## load the demonstration, start a worker and serve it on 127.0.0.1:$(PORT)
	PORT=$(PORT) $(RUN) serve

test: $(VENV)/test  ## every test: SQLite, real PostgreSQL, real Redis, a real browser when Chromium is found
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-sqlite: $(VENV)/test  ## the quick round: no servers, no browser
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not postgres and not redis and not browser and not slow"

check: $(VENV)/test  ## lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/test  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/test  ## the benchmarks, in x ok; writes docs/benchmarks.md
	$(BIN)/python -m bench

lock: $(VENV)/test  ## renew the lock files from pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header \
		--extra postgres --extra redis --extra build --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header \
		--extra postgres --extra redis --extra build --extra test --extra dev --output-file requirements-test.lock pyproject.toml

docs: $(VENV)/test  ## write docs/errors.md again from the code
	$(BIN)/python scripts/document_errors.py

translations: $(VENV)/test  ## collect the messages into the English catalogue, compile it, list what lacks English
	$(BIN)/python scripts/translations.py

wheel: $(VENV)/test  ## build the wheel into dist/
	$(BIN)/python -m build --no-isolation --wheel --outdir dist

clean:  ## remove what can be made again, the store excepted
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis tests/artifacts
