# make dashboard    install if need be, open the dashboard in a browser
# make test         install what the tests need, Chromium and fonts included, and run all of them
# make              list every target

# The first Python that is new enough; another one: make PYTHON=/path/to/python3 install
NEW_ENOUGH := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
    $$python -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$python; exit; }; done; echo python3)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --constraint constraints.txt --editable

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install dashboard test test-thorough lint format constraints examples shows clean

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

install: .venv/installed  ## build .venv with the tested versions

dashboard: .venv/installed  ## open the dashboard in a browser
	$(BIN)/clipbench dashboard

# One thread each: two processes that compute on two cores with two threads each wait for one another.
test: export OMP_NUM_THREADS = 1
# libatomic1 is for the Node.js inside Playwright.
test: .venv/installed-test  ## run the tests: the fast ones and the chapters two at a time, the browser
	@sh scripts/debian.sh chromium fonts-dejavu-core fonts-liberation libatomic1
	$(BIN)/python -m pytest -n 2 --dist worksteal --ignore=tests/browser tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg \
	    $(wildcard notebooks)
	$(BIN)/python -m pytest -m "not thorough" tests/browser

test-thorough: .venv/installed-test  ## run what `make test` leaves out for its length
	$(BIN)/python -m pytest -m thorough tests/browser

lint: .venv/installed-test  ## check style, format and that notebooks keep no output but the tested ones
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/nbstripout --verify --keep-id --keep-count --keep-count notebooks/*.ipynb

format: .venv/installed-test  ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: .venv/installed-test  ## write down the installed versions as the tested ones
	$(BIN)/python scripts/constraints.py > constraints.new
	mv constraints.new constraints.txt

examples: .venv/installed  ## remake what the panels open with, after a change of the model
	$(BIN)/python scripts/make_examples.py
	$(BIN)/python scripts/make_typographic_example.py
	$(BIN)/python scripts/make_unit_examples.py

shows: .venv/installed  ## remake the pictures and tables of docs/feature_visualisation.md, likewise
	$(BIN)/python scripts/make_shows.py

clean:  ## remove .venv and what was built
	rm -rf .venv build dist

.venv/bin/python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh scripts/debian.sh $(notdir $(PYTHON))-venv
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "clipbench needs Python 3.11 or newer with venv and pip;" \
	    "name one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing into .venv; torch is large, so the first time takes minutes."
	$(INSTALL) .
	@touch $@

.venv/installed-test: .venv/installed
	$(INSTALL) '.[test,pretrain]' --quiet
	@touch $@
