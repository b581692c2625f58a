# `make` lists what there is. Every target makes its own .venv from nothing but python3; uv is used where it is installed.

PYTHON ?= python3
UV     ?= $(shell command -v uv 2>/dev/null)
BIN    := .venv/bin
PY     := $(BIN)/python

# Two stamps: what the hub needs to run, and what its tests and checks need beside that.
RUN := .venv/.run
DEV := .venv/.dev

# Only wheels whose hashes stand in the locks; without uv, plain pip (UV= turns uv off).
ifneq ($(UV),)
INSTALL := $(UV) pip install --quiet --python $(PY)
else
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-input --no-compile
endif
LOCKED  := $(INSTALL) --require-hashes --only-binary :all:
COMPILE := $(if $(UV),$(UV),$(BIN)/uv) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# The hub and its tests start dozens of Pythons: each module is compiled once, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

DEMO := HUB_STATE="$(CURDIR)/var/demo"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-clean serve test test-unit check fix bench docs lock clean

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

##@ Run
setup: $(DEV) ## make .venv with everything; leaves .venv/bin/hub

demo: $(RUN) ## a simulated company and a live table, state in var/demo (EXIT=1 ends by itself, SUMMARY=file.json)
	@$(DEMO) $(BIN)/hub demo $(if $(filter-out 0,$(EXIT)),--exit) $(if $(SUMMARY),--summary "$(SUMMARY)")

demo-clean: ## stop the servers of the demo and forget its data
	@if [ -d var/demo ]; then \
		$(MAKE) --no-print-directory $(RUN) && $(DEMO) $(BIN)/hub embedded stop && rm -rf var/demo; \
	fi

serve: $(RUN) ## every role of the hub, from the hub.toml of this folder
	@$(BIN)/hub serve

##@ Check
# Two at a time, each with servers of its own, file by file in their order: the long ones come first.
test: $(DEV) ## all tests, on a real Kafka, PostgreSQL and Redis (ARGS="-k lag -x")
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-unit: $(DEV) ## the tests that need no server, in seconds
	@$(BIN)/pytest -n 2 tests/unit $(ARGS)

check: $(DEV) ## style, types, import law, generated files: everything but the tests
	@$(BIN)/ruff check --quiet --output-format concise . && echo "style        ok"
	@$(BIN)/ruff format --quiet --check . && echo "format       ok"
	@$(BIN)/mypy --no-error-summary && echo "types        ok"
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/hub schemas --check && echo "generated    ok"

fix: $(DEV) ## mend what a machine can mend: style and format
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

bench: $(DEV) ## how fast it is (BENCH=file.json writes the figures, QUICK=1 takes two minutes)
	@$(PY) -m bench $(if $(BENCH),--out "$(BENCH)") $(if $(filter-out 0,$(QUICK)),--quick)

##@ Keep
docs: $(RUN) ## write the generated reference pages again
	@$(BIN)/hub schemas --write

lock: $(if $(UV),,$(DEV)) ## resolve requirements/*.txt from pyproject.toml (UPGRADE=1 raises the versions)
	@echo "resolving requirements/ ..."
	@$(COMPILE) pyproject.toml -o requirements/run.txt
	@$(COMPILE) -c requirements/run.txt --group build -o requirements/build.txt
	@$(COMPILE) -c requirements/run.txt -c requirements/build.txt pyproject.toml --group dev -o requirements/dev.txt

clean: demo-clean ## forget .venv, caches and the demo
	@rm -rf .venv build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@echo "making .venv ..."
ifneq ($(UV),)
	@$(UV) venv --quiet --python '>=3.11' .venv
else
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) -V 2>&1): Python 3.11 or newer is needed (another one: make PYTHON=python3.12)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
endif

$(RUN): requirements/run.txt requirements/build.txt pyproject.toml | $(PY)
	@echo "installing what the hub needs ...$(if $(UV),, (a minute the first time))"
	@$(LOCKED) -r requirements/run.txt -r requirements/build.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	@echo "installing what the checks and tests need ..."
	@$(LOCKED) -r requirements/dev.txt
	@touch $@
