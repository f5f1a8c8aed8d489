# Every target sets up what it needs in .venv, and does it again only when pyproject.toml or constraints.txt changed.
# Needs: make, and Python 3.11 or newer.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PYTEST_ARGS ?=
# The same hashes, and so the same order of sets, in every run.
export PYTHONHASHSEED := 0
# Two workers; one that is done takes work over from the other, so that long tests at the end do not run alone.
BOTH := -n 2 --dist worksteal
# What `make test` leaves to `make test-all`.
QUICK := "not browser and not served and not fault and not heavy"

.DEFAULT_GOAL := help
.PHONY: help demo lab test test-all lint unit unit-all notebooks-test pandas2 notebooks docs coverage bench soak clean

help: ## what can be made
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# A stamp per set of extras; $(1) is the stamp, $(2) the extras.
define install
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer was not found: install it, or name it with make PYTHON=..."; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.$(2)'
	@touch $(1)
endef

.venv/installed: pyproject.toml constraints.txt
	$(call install,$@,)
.venv/installed-lab: pyproject.toml constraints.txt
	$(call install,$@,[lab])
	@touch .venv/installed
.venv/installed-dev: pyproject.toml constraints.txt
	$(call install,$@,[dev])
	@touch .venv/installed .venv/installed-lab

demo: .venv/installed ## the main job on the embedded sandbox: tables, monthly numbers, attributed costs, two charts
	@$(BIN)/nectar demo --out build/demo

lab: .venv/installed-lab ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

test: lint unit notebooks-test ## what a change is held to: style, types, layers, tests, notebooks

test-all: lint unit-all notebooks-test pandas2 ## everything CI runs: browsers, servers, faults, reruns of the notebooks and pandas 2 too

lint: .venv/installed-dev ## style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/installed-dev ## the tests that need no browser, no served sandbox, no fault on the wire and no rerun of the notebooks, on both cores
	$(BIN)/pytest $(BOTH) -m $(QUICK) $(PYTEST_ARGS)

unit-all: .venv/installed-dev ## all tests, on both cores
	$(BIN)/pytest $(BOTH) $(PYTEST_ARGS)

notebooks-test: .venv/installed-dev ## every notebook gives its kept outputs again
	$(BIN)/pytest -n 2 --dist loadscope --nbval -p no:cacheprovider notebooks

# pandas 3 is the reference; the oldest pandas that is promised passes the package's tests too.
.venv-pandas2/installed: pyproject.toml constraints.txt constraints-pandas2.txt
	@[ -x .venv-pandas2/bin/python ] || $(PYTHON) -m venv .venv-pandas2
	@.venv-pandas2/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-pandas2.txt \
		--editable '.[dev]'
	@touch $@

# The rooms that make, keep, compute or draw frames; the wire, its faults and the embedded sandbox know no pandas.
FRAMES := tests/schema tests/tables tests/cache tests/client tests/methodology_core tests/methodology_quality \
	tests/plots tests/invitations/test_connect_frame.py tests/cli/test_demo.py

pandas2: .venv-pandas2/installed ## the tests of every frame on the oldest pandas that is promised
	.venv-pandas2/bin/pytest $(BOTH) -m "not reference_only and not fault" $(FRAMES) $(PYTEST_ARGS)

notebooks: .venv/installed-dev ## run the notebooks and write their outputs
	$(BIN)/python docs/build_notebooks.py

docs: .venv/installed-dev ## generated pages and the README's picture
	$(BIN)/python docs/build_reference.py
	$(BIN)/python docs/build_picture.py

# Peers that need older libraries, for benchmarks/bench_peers.py alone.
.venv-peers/installed: benchmarks/peers.txt
	@[ -x .venv-peers/bin/python ] || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/peers.txt
	@touch $@

coverage: .venv/installed-dev ## which lines no test of `make test` reaches
	$(BIN)/pytest $(BOTH) -m $(QUICK) --cov --cov-report=term --cov-report=html:build/coverage $(PYTEST_ARGS)

bench: .venv/installed-dev .venv-peers/installed ## ratios, measured side by side
	$(BIN)/python benchmarks/run.py

soak: .venv/installed-dev ## the long counts
	$(BIN)/python benchmarks/soak.py

clean: ## remove what make made
	rm -rf .venv .venv-pandas2 .venv-peers build
