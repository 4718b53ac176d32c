# Two commands on a fresh machine: `make demo` and `make test`. Both set up what they need by themselves,
# from the package registries, without root. They assume python3 (3.11 or newer), make, git and npm.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCAL_SLACK_VERSION := 0.1.8
PLATFORM := $(shell uname -s | tr '[:upper:]' '[:lower:]')-$(shell uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
LOCAL_SLACK := .sandbox/npm/node_modules/local-slack-$(PLATFORM)/bin/local-slack
PACKAGES := bot handlers operations providers storage sandbox tests bench

.PHONY: help demo test lint format bench reference screenshots requirements clean

help:
	@echo "make demo    run the product in its local sandbox; prints the page to open"
	@echo "make test    run the whole test suite"
	@echo "make lint    format check, lint, import rules, types"
	@echo "make bench   measure, each figure beside its floor"
	@echo "make reference   write docs/commands.md, docs/api.md and docs/configuration.md from the code"

demo: $(VENV)/.ready-for-demo $(LOCAL_SLACK)
	@echo "Starting, a few seconds …"
	@$(BIN)/python -m sandbox --local-slack $(LOCAL_SLACK)

test: $(VENV)/.ready $(LOCAL_SLACK)
	@LOCAL_SLACK=$(LOCAL_SLACK) $(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

lint: $(VENV)/.ready
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/.ready
	$(BIN)/ruff format $(PACKAGES)
	$(BIN)/ruff check --fix $(PACKAGES)

bench: $(VENV)/.ready
	@$(BIN)/python -m bench

# Writes the pages of docs/ that come from the code; a test says when they have to be written anew.
reference: $(VENV)/.ready
	@$(BIN)/python -m bot.config.reference > docs/configuration.md
	@$(BIN)/python -m bot.references.commands > docs/commands.md
	@$(BIN)/python -m bot.references.api > docs/api.md

# Takes the pictures in docs/ from the sandbox's real page.
screenshots: $(VENV)/.ready $(LOCAL_SLACK)
	@npm install --silent --no-audit --no-fund --no-save --prefix .sandbox/fonts \
	  @infolektuell/noto-color-emoji@0.2.0
	@LOCAL_SLACK=$(LOCAL_SLACK) $(BIN)/python -m pytest -q tests/e2e --screenshots docs/pictures

# Writes the pinned requirements anew; needs `uv` on the path. No index address may get into them.
requirements:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url -q -o requirements.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url -q --extra sandbox --extra dev -c requirements.txt \
	  -o requirements-dev.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url -q --extra sandbox -c requirements-dev.txt \
	  -o requirements-sandbox.txt

clean:
	rm -rf $(VENV) .sandbox build *.egg-info

# The demo needs two thirds of the packages only, and none when all of them are there.
$(VENV)/.ready-for-demo: requirements-sandbox.txt pyproject.toml
	@if [ $(VENV)/.ready -nt requirements-dev.txt ] && [ $(VENV)/.ready -nt pyproject.toml ]; then touch $@; \
	  else PYTHON="$(PYTHON)" ./.ci/set-up $(VENV) requirements-sandbox.txt && touch $@; fi

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	@PYTHON="$(PYTHON)" ./.ci/set-up $(VENV) requirements-dev.txt
	@touch $@

# Moved into its place when it is whole: broken off, it is fetched again.
$(LOCAL_SLACK):
	@echo "Fetching the local Slack, 37 MB (once) …"
	@rm -rf .sandbox/npm.part && mkdir -p .sandbox/npm.part
	@npm install --silent --no-audit --no-fund --no-save --prefix .sandbox/npm.part \
	  local-slack-$(PLATFORM)@$(LOCAL_SLACK_VERSION) \
	  || { echo "npm could not fetch local-slack-$(PLATFORM): it is published for Linux on x64 only."; exit 1; }
	@chmod +x .sandbox/npm.part/node_modules/local-slack-$(PLATFORM)/bin/local-slack
	@rm -rf .sandbox/npm && mv .sandbox/npm.part .sandbox/npm
