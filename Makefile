# Every target sets up what it needs: Python 3.11+ and a package index are enough.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.octoflow-installed
LONG := --timeout 1800 --session-timeout 14400
DEMO ?= examples/dip_buyer.yaml

.DEFAULT_GOAL := help
.PHONY: help setup demo test slow coverage check format bench soak fuzz chaos lock docs wheel release clean

help: ## show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## create .venv with the locked versions

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; point PYTHON at one: make PYTHON=python3.12 ..."; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP) ## run an automation on an embedded server, on paper
	@$(BIN)/octoflow run $(DEMO) --market auto

test: $(STAMP) ## the whole test suite
	$(BIN)/python -m pytest

slow: $(STAMP) ## the tests that take minutes
	$(BIN)/python -m pytest -m slow $(LONG)

coverage: $(STAMP) ## what the test suite runs of the product, and what it runs least
	@$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest $(LONG)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --sort cover | awk 'NR <= 12 || /^TOTAL/'

check: $(STAMP) ## lint, format, types, rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.architecture

format: $(STAMP) ## let ruff fix and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## every figure as one JSON line
	$(BIN)/python -m benchmarks

soak: $(STAMP) ## a simulated week of minutely invocations
	$(BIN)/python -m pytest -m slow -k soak $(LONG) -s

fuzz: $(STAMP) ## thousands of nonsensical scripts, timed and weighed
	$(BIN)/python -m pytest -m slow -k fuzz $(LONG)
	OCTOFLOW_FUZZ=20 $(BIN)/python -m pytest tests/engine/dsl -k "fuzz or reference or printer or formula or resum" $(LONG)

chaos: $(STAMP) ## two hundred automations on live accounts whose workers are killed and frozen
	$(BIN)/python -m pytest tests/chaos -m "slow or not slow" $(LONG)

lock: $(STAMP) ## renew requirements.lock from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --all-extras --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade pyproject.toml -o requirements.lock

docs: $(STAMP) ## renew the generated operator reference
	$(BIN)/octoflow operators --markdown > docs/operators.md

wheel: $(STAMP) ## build the wheel and try it in an empty environment
	$(BIN)/python -m pytest tests/octoflow/test_wheel.py -m "slow or not slow" --timeout 1800

release: $(STAMP) ## check everything and build dist/ for a tag; publishes nothing
	@$(BIN)/python .ci/release.py
	@$(MAKE) --no-print-directory check
	@rm -rf dist
	$(BIN)/python -m hatchling build --target sdist --target wheel
	@OCTOFLOW_WHEEL="$$(echo dist/*.whl)" $(MAKE) --no-print-directory wheel
	@$(BIN)/python .ci/release.py --tag

clean: ## remove caches and the virtual environment
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
