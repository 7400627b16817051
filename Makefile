# One target per habit. Needs make and Python 3.11 or newer, nothing else:
# every target sets up what it uses in $(VENV), once, and again only when pyproject.toml changes.

PYTHON ?= python3
VENV ?= .venv
# The oracle. Where PyPI's wheel is too large, TORCH can name another requirement or a wheel file.
TORCH ?= torch==2.13.0
# Test processes; each keeps to one BLAS thread.
JOBS ?= auto
PROCESSES = $(if $(filter auto,$(JOBS)),$(shell $(PYTHON) -c 'import os; print(os.cpu_count())'),$(JOBS))
# Further arguments for what is run, as in: make test ARGS="-k softmax"
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
TEST_SETUP := $(VENV)/.test
ifeq ($(FLAMBEAU_PARITY),1)
TEST_SETUP += $(VENV)/.parity
endif

.PHONY: help demo test check format lint types layers parity parity-full parity-itself bench docs wheel clean
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.demo  ## set up and train on handwritten digits
	$(BIN)/python -m flambeau examples/digits.py

test: $(TEST_SETUP)  ## set up and run the tests (FLAMBEAU_PARITY=1: against real PyTorch too)
	$(PYTEST) -n $(JOBS) $(ARGS)

check: lint types layers test wheel  ## everything that CI does

lint: $(VENV)/.dev  ## ruff, ruff's formatting, and whether what scripts write is current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/areas.py --check
	$(BIN)/python scripts/stubs.py --check

types: $(VENV)/.dev  ## mypy
	$(BIN)/mypy

layers: $(VENV)/.dev  ## a room imports only rooms below it
	$(BIN)/lint-imports

wheel: $(VENV)/.dev  ## build the wheel and try it from outside the tree
	$(BIN)/python scripts/wheel_test.py

format: $(VENV)/.dev  ## mend what ruff can mend, and write the stubs
	$(BIN)/python scripts/areas.py
	$(BIN)/python scripts/stubs.py
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

parity: $(VENV)/.parity  ## a quick comparison with real PyTorch
	FLAMBEAU_PARITY=1 $(PYTEST) -n $(JOBS) -m "not slow" tests/parity $(ARGS)

parity-full: $(VENV)/.parity  ## PyTorch's whole databases, and the score
	$(BIN)/python -m tests.parity.run --db op,module,optim,foreach,own,hop,reference --full --write-score -j $(PROCESSES) $(ARGS)

parity-itself: $(VENV)/.parity  ## PyTorch against itself on other processors: what the score can reach
	$(BIN)/python -m tests.parity.run --db op,module,optim,foreach,reference --full --against-itself --timeout 900 -j $(PROCESSES) $(ARGS)

bench: $(VENV)/.parity  ## both engines in one run, ratios printed
	$(BIN)/python bench/eager.py $(ARGS)
	$(BIN)/python bench/suite.py --report $(ARGS)
	$(BIN)/python scripts/import_time.py
	$(BIN)/python scripts/size.py

docs: $(TEST_SETUP)  ## run every example that the documents show
	$(PYTEST) tests/test_docs.py $(ARGS)

clean:  ## remove the environment and everything built
	rm -rf $(VENV) build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "flambeau needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	$(PIP) --editable '.[all,demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml
	$(PIP) --editable '.[all,test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml
	$(PIP) --editable '.[all,dev]'
	@touch $@

$(VENV)/.parity: $(VENV)/.test
	$(PIP) '$(TORCH)' expecttest
	@touch $@
