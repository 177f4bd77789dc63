# tinykit: the few commands there are. Each makes the environment first when it is missing or stale.
# Another Python: make lab PYTHON=python3.12
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10 python; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
KIT = $(if $(PYTHON),$(PYTHON),python3) kit.py

.DEFAULT_GOAL := help
.PHONY: help env lab test test-full tour lock clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env:  ## the environment, in .venv
	$(KIT) env

lab:  ## JupyterLab on the lessons, on this computer only
	$(KIT) lab

test:  ## all tests, lessons included
	$(KIT) test $(ARGS)

test-full: export TINYKIT_FULL = 1
test-full:  ## the same, slow tests with their whole samples
	$(KIT) test $(ARGS)

tour:  ## run the lessons without a board; leaves them in tour/ as HTML
	$(KIT) tour

lock:  ## requirements.lock anew from pyproject.toml (needs uv)
	$(KIT) lock

clean:  ## remove what was made: .venv, tour, caches
	rm -rf .venv tour .pytest_cache .ruff_cache
