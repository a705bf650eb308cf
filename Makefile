# All targets install into the checkout only: .venv (development), .meltano (plugins), .cache.
# They need Python 3.11 or later with venv, and make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
BIN := .venv/bin
# The folders are named because the linter, without git (in an archive), does not know what to skip.
CODE := $(wildcard tap_leads tests demo docs orchestrate proof)

# The last step of each set-up touches these files, so an interrupted set-up is repeated.
DEV := .venv/.ready
PLUGINS := .meltano/.ready

export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
# Builds use pinned versions too. uv uses the system's certificates, as pip does, and downloads no
# interpreter.
export UV_BUILD_CONSTRAINT := $(CURDIR)/requirements/dev.txt
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
# Each start of a program is slow if Python may not keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE
# Otherwise, Meltano puts its logs into the home directory.
export XDG_STATE_HOME := $(CURDIR)/.cache/state

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: demo
demo: $(DEV) $(PLUGINS) ## Load sample leads into a real PostgreSQL (KEEP=1 leaves it running)
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

.PHONY: test
test: $(DEV) $(PLUGINS) ## Run all tests (PYTEST_ADDOPTS is respected)
	$(BIN)/python -m pytest $(if $(COVER),--cov)

.PHONY: demo-airflow
demo-airflow: $(DEV) $(PLUGINS) ## Run Airflow on two machines and kill one (KEEP=1 keeps the other)
	@$(BIN)/python -m demo.airflow $(if $(KEEP),--keep)

.PHONY: test-airflow
test-airflow: $(DEV) $(PLUGINS) ## Run the tests that need Airflow, which is installed for them
	$(BIN)/python -m pytest -m airflow --numprocesses=0

.PHONY: simulate
simulate: $(DEV) ## Run every schedule of three faults through the lifecycle (some minutes)
	SIMULATE_FAULTS=3 $(BIN)/python -m pytest tests/unit/test_every_schedule.py

.PHONY: mutants
mutants: $(DEV) ## Change the code in small ways; tests must notice each change (ONLY=file, 20 minutes)
	@nice $(BIN)/python -m proof.mutants $(ONLY)

.PHONY: cover
cover: COVER = 1
cover: test ## Run all tests; every line and branch of tap_leads must be run

.PHONY: check
check: lint ## Check style and types, and run the fast tests: for daily work
	SIMULATE_FAULTS=1 $(BIN)/python -m pytest tests/unit --hypothesis-profile=quick --numprocesses=2

.PHONY: test-machines
test-machines: $(DEV) $(PLUGINS) ## Kill one of two machines, with Edge and with Celery (6 minutes)
	$(BIN)/python -m pytest -m machines --numprocesses=0

.PHONY: test-libraries
test-libraries: $(DEV) ## Run the programs in docs/ that need other libraries
	$(BIN)/python -m pytest -m libraries --numprocesses=0

.PHONY: image
image: ## Build the container image (needs Docker)
	docker build --tag tap-leads .

.PHONY: test-image
test-image: ## Sync a simulated workspace in the image (needs Docker)
	test "$$(docker run --rm --read-only --tmpfs /tmp tap-leads \
	  .meltano/extractors/tap-leads/venv/bin/python -m tap_leads.sandbox --leads 250 -- \
	  .meltano/extractors/tap-leads/venv/bin/tap-leads | grep -c '"RECORD"')" -eq 250

.PHONY: lint
lint: $(DEV) ## Check style, format, spelling, imports, types and workflows
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/codespell
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet --persona pedantic .

.PHONY: format
format: $(DEV) ## Format the code and fix what the linter can fix
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

.PHONY: docs
docs: $(DEV) $(PLUGINS) ## Write the generated pages in docs/ (RECORD=1: demo.svg too)
	$(BIN)/python -m docs.generate $(if $(RECORD),--record)

.PHONY: bench
bench: $(DEV) $(PLUGINS) ## Compare the tap's speed with a bare loop and other extractors
	@$(BIN)/python -m proof.benchmarks

.PHONY: bench-huge
bench-huge: $(DEV) $(PLUGINS) ## Read ten million leads, and load a million (half an hour)
	@$(BIN)/python -m proof.benchmarks.huge

.PHONY: faults
faults: $(DEV) ## Show what each extractor loses when something goes wrong, in docs/comparison.md
	@$(BIN)/python -m proof.benchmarks.faults

.PHONY: targets
targets: $(DEV) $(PLUGINS) ## Load into many targets, compare every value, and write docs/targets.md
	@$(BIN)/python -m proof.targets

.PHONY: dist
dist: $(DEV) ## Build the source distribution and the wheel
	rm -rf dist
	$(BIN)/python -m uv build --no-build-isolation --python $(BIN)/python --out-dir dist

.PHONY: setup
setup: $(DEV) $(PLUGINS) ## Install everything that the targets need

.PHONY: pins
pins: $(DEV) ## Update the pinned versions in requirements/
	@for name in dev libraries plugins; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	    --no-emit-package tap-leads --custom-compile-command 'make pins' \
	    requirements/$$name.in pyproject.toml --output-file requirements/$$name.txt || exit; \
	done
	@for name in airflow airflow-celery airflow-kubernetes dbt mutants; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	    --custom-compile-command 'make pins' requirements/$$name.in \
	    --output-file requirements/$$name.txt || exit; \
	done

.PHONY: clean
clean: ## Remove everything that the targets wrote
	rm -rf .venv .meltano .cache .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache build dist output
	find . -name __pycache__ -prune -exec rm -rf {} +

# uv is many times faster than pip, so pip installs only uv.
$(DEV): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(sys.argv[1])' \
	  'tap-leads needs Python 3.11 or later; name one: make PYTHON=python3.12'
	@echo 'Setting up .venv (once; with the Meltano plugins, about a minute)'
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear .venv && \
	  $(BIN)/python -m pip install --quiet "$$(grep '^uv==' requirements/dev.txt)"; }
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --exact \
	  --requirement requirements/dev.txt --editable .
	@touch $@

$(PLUGINS): $(DEV) meltano.yml requirements/plugins.txt
	@echo 'Setting up the Meltano plugins (once)'
	@mkdir -p .meltano output
	@$(BIN)/meltano --log-format=plain install </dev/null >.meltano/install.log 2>&1 || { \
	  cat .meltano/install.log; exit 1; }
	@touch $@
