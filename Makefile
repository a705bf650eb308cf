# All set-up happens inside the checkout: .venv (development), .meltano (plugins), .cache.
# Needed beforehand: Python 3.11 or later with venv, and make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
BIN := .venv/bin
# Named, because without git (from an archive) the linter would not know what to leave out.
CODE := $(wildcard tap_leads tests demo docs orchestrate proof)

# A stamp is touched only after the last step of its set-up, so an interrupted one is done again.
DEV := .venv/.ready
PLUGINS := .meltano/.ready

export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
# Builds use pinned versions too; certificates are the system's, as with pip; and no interpreter
# is downloaded unasked.
export UV_BUILD_CONSTRAINT := $(CURDIR)/requirements/dev.txt
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
# Meltano would put its logs into the home directory.
export XDG_STATE_HOME := $(CURDIR)/.cache/state

.PHONY: help
help: ## Show what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: demo
demo: $(DEV) $(PLUGINS) ## Load sample leads into a real PostgreSQL (KEEP=1 leaves it running)
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

.PHONY: test
test: $(DEV) $(PLUGINS) ## Run all tests (PYTEST_ADDOPTS is respected)
	$(BIN)/python -m pytest $(if $(COVER),--cov)

.PHONY: demo-airflow
demo-airflow: $(DEV) $(PLUGINS) ## Run Airflow on two machines and lose one midway (KEEP=1 keeps the rest)
	@$(BIN)/python -m demo.airflow $(if $(KEEP),--keep)

.PHONY: test-airflow
test-airflow: $(DEV) $(PLUGINS) ## Run the tests that need Airflow, which is installed for them
	$(BIN)/python -m pytest -m airflow --numprocesses=0

.PHONY: simulate
simulate: $(DEV) ## Run every schedule of three faults through the lifecycle (some minutes)
	SIMULATE_FAULTS=3 $(BIN)/python -m pytest tests/unit/test_every_schedule.py

.PHONY: cover
cover: COVER = 1
cover: test ## Run all tests; every line and branch of tap_leads must be run

.PHONY: check
check: lint ## Check style and types, and run the fast tests: for daily work
	SIMULATE_FAULTS=1 $(BIN)/python -m pytest tests/unit --hypothesis-profile=quick --numprocesses=2

.PHONY: test-machines
test-machines: $(DEV) $(PLUGINS) ## Lose one of two machines, with Edge and with Celery (6 minutes)
	$(BIN)/python -m pytest -m machines --numprocesses=0

.PHONY: test-libraries
test-libraries: $(DEV) ## Run the programs in docs/ that show what other libraries do
	$(BIN)/python -m pytest -m libraries --numprocesses=0

.PHONY: image
image: ## Build the container image (needs Docker)
	docker build --tag tap-leads .

.PHONY: test-image
test-image: ## Read a simulated workspace with the image (needs Docker)
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
format: $(DEV) ## Format the code and fix what can be fixed
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

.PHONY: docs
docs: $(DEV) $(PLUGINS) ## Write the pages in docs/ that programs make (RECORD=1: demo.svg too)
	$(BIN)/python -m docs.generate $(if $(RECORD),--record)

.PHONY: bench
bench: $(DEV) $(PLUGINS) ## Measure the tap beside a bare loop and other extractors
	@$(BIN)/python -m proof.benchmarks

.PHONY: faults
faults: $(DEV) ## Show what each extractor loses when something goes wrong
	@$(BIN)/python -m proof.benchmarks.faults

.PHONY: targets
targets: $(DEV) $(PLUGINS) ## Load into many targets, compare every value, and write docs/targets.md
	@$(BIN)/python -m proof.targets

.PHONY: dist
dist: $(DEV) ## Build the source distribution and the wheel
	rm -rf dist
	$(BIN)/python -m uv build --no-build-isolation --python $(BIN)/python --out-dir dist

.PHONY: setup
setup: $(DEV) $(PLUGINS) ## Only set up

.PHONY: pins
pins: $(DEV) ## Update the pinned versions in requirements/
	@for name in dev libraries plugins; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	    --no-emit-package tap-leads --custom-compile-command 'make pins' \
	    requirements/$$name.in pyproject.toml --output-file requirements/$$name.txt || exit; \
	done
	@for name in airflow airflow-celery airflow-kubernetes dbt; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	    --custom-compile-command 'make pins' requirements/$$name.in \
	    --output-file requirements/$$name.txt || exit; \
	done

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf .venv .meltano .cache .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache build dist output
	find . -name __pycache__ -prune -exec rm -rf {} +

# pip is there from the beginning, but uv is many times faster, so pip installs uv alone.
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
