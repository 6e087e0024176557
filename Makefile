PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: env demo test check bench peers docs

PEERS := celer skglm adelie glum abess

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)

demo: env
	$(BIN)/python -m shrinkage demo

check: env
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --doctest-modules src README.md docs --doctest-glob='*.md'

test: check
	$(BIN)/python -m pytest -n 2 -m "not slow" tests

bench: env
	$(BIN)/python -m benchmarks

peers:
	for peer in $(PEERS); do $(PYTHON) -m venv .peers/$$peer && .peers/$$peer/bin/python -m pip install --quiet $$peer; done

docs: env
	$(BIN)/python -m pytest -q --doctest-glob='*.md' README.md docs
