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

# An environment does not survive that its checkout moves: it holds paths.
HOME_OF_VENV := $(shell cat $(VENV)/.checkout 2>/dev/null)
HERE := $(shell pwd)
ifneq ($(HOME_OF_VENV),$(HERE))
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
	@pwd > $@

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
