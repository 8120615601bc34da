# `make demo` and `make test` do all the set-up themselves.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= 2
# One more than cores: the tests of a cluster wait more than they compute.
TESTERS ?= 3
READY := $(VENV)/.ready

.PHONY: demo test test-slow quick bench check format requirements clean

demo: $(READY)  ## the main job on the built-in data set
	source $(BIN)/activate && snakemake --cores $(CORES)
	@echo "Open results/report.html"

test: $(READY)  ## all tests but the very slow ones, with coverage
	source $(BIN)/activate && OMP_NUM_THREADS=1 python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder -m "not very_slow" --cov --cov-report=term

test-slow: $(READY)  ## what `make test` leaves out: whole presets, photographs, killed workflows
	source $(BIN)/activate && OMP_NUM_THREADS=1 python -m pytest -m very_slow

quick: $(READY)  ## the fast tests
	source $(BIN)/activate && python -m pytest -q -m "not slow and not very_slow"

bench: $(READY)  ## our way beside the plain way: times, memory, equal results
	source $(BIN)/activate && python -m bench
	@echo "Read results-bench/"

check: $(READY)  ## lint, format, types, workflow lint
	source $(BIN)/activate && ruff check . && ruff format --check . && mypy \
	  && snakefmt --check Snakefile workflow && python tests/workflow/lint.py

format: $(READY)
	source $(BIN)/activate && ruff check --fix-only . && ruff format . && snakefmt Snakefile workflow

# uv installs in seconds what pip needs minutes for; pip only brings uv itself. Compiled here once,
# for hundreds of processes: uncompiled, the engine starts in 3.3 s instead of 1.8.
$(READY): envs/requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python \
	  --require-hashes envs/requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(READY)

requirements:  ## pin the newest versions again
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --universal \
	  --python-version 3.11 envs/requirements.in -o envs/requirements.txt

clean:
	rm -rf $(VENV) .snakemake
