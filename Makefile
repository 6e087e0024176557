PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: env demo test check bench peers docs browser test-frameworks

PEERS := celer skglm adelie glum abess el0ps l0bnb okridge

# Other frameworks' tests, each in an environment of its own (frameworks/NAME.txt): make test-NAME.
FRAMEWORKS := keras-torch keras-tensorflow keras-jax optax trainers
KERAS := tests/interop/test_keras_*.py src/shrinkage/interop/keras docs/keras.md
TESTS.keras-torch := --doctest-modules --doctest-glob='*.md' $(KERAS)
TESTS.keras-tensorflow := $(TESTS.keras-torch)
TESTS.keras-jax := $(TESTS.keras-torch)
TESTS.optax := --doctest-modules --doctest-glob='*.md' tests/interop/test_optax_*.py src/shrinkage/interop/optax docs/optax.md
TESTS.trainers := --doctest-modules $(addprefix src/shrinkage/interop/, lightning.py transformers.py) \
	tests/interop/test_lightning*.py tests/interop/test_trainers_page.py tests/interop/test_transformers*.py \
	'tests/test_examples.py::test_it_shows_what_it_says[accelerate_finetune]'

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)

demo: env
	$(BIN)/python -m shrinkage demo

check: env
	$(BIN)/ruff check src tests benchmarks examples docs
	$(BIN)/ruff format --check src tests benchmarks examples docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --doctest-modules src README.md docs --doctest-glob='*.md'

test: check browser
	$(BIN)/python -m pytest -n 2 -m "not slow" tests

browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
	{ command -v apt-get >/dev/null && apt-get install -y -qq chromium chromium-driver >/dev/null 2>&1; } || \
	echo "Chromium and its driver are not here and cannot be installed: the tests in a browser are skipped"

bench: env
	$(BIN)/python -m benchmarks

peers:
	for peer in $(PEERS); do $(PYTHON) -m venv .peers/$$peer && .peers/$$peer/bin/python -m pip install --quiet $$peer; done
	.peers/okridge/bin/python -m pip install --quiet requests  # which it needs but does not ask for

test-frameworks: $(FRAMEWORKS:%=test-%)

test-keras-torch: export KERAS_BACKEND := torch
test-keras-tensorflow: export KERAS_BACKEND := tensorflow
test-keras-jax: export KERAS_BACKEND := jax

.PHONY: $(FRAMEWORKS:%=test-%)
$(FRAMEWORKS:%=test-%): test-%: .frameworks/%/.installed
	.frameworks/$*/bin/python -m pytest -q $(TESTS.$*)

.PRECIOUS: .frameworks/%/.installed
.frameworks/%/.installed: frameworks/%.txt constraints.txt pyproject.toml
	test -x .frameworks/$*/bin/python || $(PYTHON) -m venv .frameworks/$*
	.frameworks/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $< -e .
	touch $@

docs: env
	$(BIN)/python -m pytest -q --doctest-glob='*.md' README.md docs
	$(BIN)/python -m docs.pages build/docs
