# make demo, make test: both set up .venv by themselves. `make help` lists the rest.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
export TORCH_INDEX PYTHON

.PHONY: help demo docs test lint format types tests faults soak bench bench-decode setup lock clean

help:
	@echo "make demo                  a simulated season of alerts, classified live in the terminal"
	@echo "make demo ALERTS=folder    the same with real alert packets"
	@echo "make demo LASAIR=1         the same, and the objects annotated at a Lasair of the tests"
	@echo "make test                  lint, types and all tests"
	@echo "make tests TESTS=tests/x   only the tests, or some of them (any pytest arguments)"
	@echo "make faults                thousands of alerts through kills and faults (about 15 minutes)"
	@echo "make soak                  an hour under load with a fault every minute (SOAK_MINUTES=60)"
	@echo "make bench                 all benchmarks: a table, and bench.json (about 15 minutes)"
	@echo "make bench-decode          decoding alone, against fastavro and cavro"
	@echo "make docs                  the documentation, into docs/_build"
	@echo "make setup                 a development environment in $(VENV)"
	@echo "make format                put the code in the project's form"
	@echo "make lock                  renew requirements*.lock from pyproject.toml"

demo: $(VENV)/.runtime
	@$(if $(LASAIR),$(BIN)/python -m tests.lasair.demo,$(BIN)/broker-classifier demo) $(if $(ALERTS),--alerts $(ALERTS))

test: lint types tests

lint: $(VENV)/.dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

types: $(VENV)/.dev
	@$(BIN)/mypy --no-error-summary

tests: $(VENV)/.dev
	@deploy/install-test-tools
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(TESTS)

# Workers, a real Kafka and a real Valkey killed, paused and cut off, again and again.
faults: $(VENV)/.dev
	@deploy/install-test-tools
	@FAULT_KILLS=24 FAULT_OBJECTS=750 OMP_NUM_THREADS=1 $(BIN)/python -m pytest --timeout 3600 \
	    tests/service/test_workers_on_kafka.py tests/service/test_faults_on_kafka.py

# Lines to the terminal, figures to soak.json.
soak: $(VENV)/.dev
	@deploy/install-test-tools
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak > soak.json

bench: $(VENV)/.dev
	@deploy/install-test-tools
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench $(BENCHMARKS)

bench-decode: $(VENV)/.dev
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench.bench_decode

docs: $(VENV)/.dev
	@$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build
	@echo "docs/_build/index.html"

format: $(VENV)/.dev
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

setup: $(VENV)/.dev

# A stamp file says what is installed; it is older than its lock when the lock has changed.
$(VENV)/.runtime: pyproject.toml requirements.lock deploy/install-torch deploy/create-venv
	@deploy/create-venv $(VENV)
	@echo "Installing what the classifier needs into $(VENV) (the first time takes a minute or two) ..."
	@deploy/install-torch $(BIN)/python
	@$(PIP) --requirement requirements.lock
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing what the tests and the training need ..."
	@$(PIP) --requirement requirements-dev.lock
	@touch $@

# torch is left out: deploy/install-torch pins it and picks the build. The CPU build stands in for it here,
# so that the locks name what torch needs, but no CUDA packages.
lock: $(VENV)/.runtime
	@$(PIP) uv
	@echo "torch==2.13.0+cpu" > $(VENV)/torch.txt
	@for extra in "" train dev; do \
	    $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --upgrade \
	        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-package torch \
	        --index-strategy unsafe-best-match --constraint $(VENV)/torch.txt \
	        $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS),--extra-index-url $(or $(TORCH_INDEX),https://download.pytorch.org/whl/cpu)) \
	        $${extra:+--extra $$extra} --output-file requirements$${extra:+-$$extra}.lock || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
