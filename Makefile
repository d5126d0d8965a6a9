# Every target does its own set-up, and does it once: what it made is noted by the stamps in .venv and node_modules.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTHONS := python3 python3.12 python3.11
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_NO_PROGRESS := 1

INSTALL := uv pip install --quiet --python $(BIN)/python --require-hashes

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1	/' | expand -t 20

# Running

.PHONY: demo serve install
demo: install ## A shop, a live show and an audience to try everything with
	@$(BIN)/python run.py demo

serve: install ## The server itself
	@$(BIN)/python run.py serve

install: .venv/runtime.stamp node_modules/runtime.stamp ## All that running needs, below this folder

# Checking and testing

CHECKS := check-ruff check-format check-types check-imports check-pages check-page-types check-messages
.PHONY: test browser check $(CHECKS)
test: tools browser ## All tests; ARGS="tests/stock -k hold" chooses some
	@$(BIN)/pytest -n 2 $(ARGS)

browser: tools
	@$(BIN)/python -m tests.chromium

.PHONY: bench-stock bench-fanout loadtest soak
bench-stock: tools ## How fast stock is, beside its baselines; ARGS=--million fills a pool to the brim
	@$(BIN)/python -m loadtests.bench_stock $(ARGS)

bench-fanout: tools .venv/bench/wsload .venv/bench/sendfloor ## How fast viewers are told and answered; ARGS="acks joins" chooses rows
	@$(BIN)/python -m loadtests.bench_fanout $(ARGS)

.venv/bench/%: loadtests/%.c | .venv/bootstrap.stamp
	@command -v cc >/dev/null || { echo "The benches' load generator needs a C compiler. Debian and Ubuntu: apt install gcc libc6-dev"; exit 1; }
	@mkdir -p $(@D); cc -O2 -Wall -Wextra -o $@ $<

loadtest: tools ## A burst of buyers and a mixed show, each against a server of its own
	@$(BIN)/python -m loadtests.scene burst
	@$(BIN)/python -m loadtests.scene show

soak: tools ## Ten minutes of a show while processes die, and a verdict; ARGS="--minutes 1" for less
	@$(BIN)/python -m loadtests.soak $(ARGS)

check: tools ## All static checks
	@$(MAKE) -j 2 --keep-going --output-sync=target $(CHECKS)

check-ruff:
	@ruff check --quiet
check-format:
	@ruff format --check --output-format=concise || { echo "Run: make format"; exit 1; }
check-types:
	@pyright --warnings
check-imports:
	@lint-imports --no-logo
check-pages:
	@node_modules/.bin/biome ci --reporter=summary static
check-page-types:
	@node_modules/.bin/tsc --project tsconfig.json
check-messages:
	@$(MESSAGES) | diff -q - $(MESSAGES_FILE) >/dev/null || { echo "$(MESSAGES_FILE) is out of date. Run: make messages"; exit 1; }
	@$(ASYNCAPI) | diff -q - $(ASYNCAPI_FILE) >/dev/null || { echo "$(ASYNCAPI_FILE) is out of date. Run: make messages"; exit 1; }

.PHONY: format messages migration requirements tools
format: tools ## Format Python and page code
	@ruff check --fix --quiet; ruff format --quiet; node_modules/.bin/biome check --write static

MESSAGES_FILE := static/shared/messages.d.ts
MESSAGES := python -m streamserver.messages.export | node_modules/.bin/json2ts --unreachableDefinitions
ASYNCAPI_FILE := streamserver/messages/asyncapi.json
ASYNCAPI := python -m streamserver.messages.asyncapi
messages: tools ## Write the types that pages use, and the AsyncAPI description, from the words on the wire
	@$(MESSAGES) >$(MESSAGES_FILE)
	@$(ASYNCAPI) >$(ASYNCAPI_FILE)

migration: tools ## Write a migration from changed tables: name="what changes"
	@$(BIN)/python -m streamserver.migrations.new "$(name)"

COMPILE := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --universal --python-version 3.11
requirements: .venv/bootstrap.stamp ## Pin the newest versions of all Python packages
	@cd requirements && $(COMPILE) --upgrade bootstrap.in -o bootstrap.txt
	@cd requirements && $(COMPILE) --upgrade runtime.in -o runtime.txt
	@cd requirements && $(COMPILE) --upgrade -c runtime.txt dev.in -o dev.txt

tools: .venv/dev.stamp node_modules/dev.stamp

# Set-up. What testing needs comes on top of what running needs, and neither removes the other.

.venv/bootstrap.stamp: requirements/bootstrap.txt
	@python=; for name in $(PYTHONS); do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or later is needed. Debian and Ubuntu: apt install python3 python3-venv"; exit 1; fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then echo "Python lacks venv. Debian and Ubuntu: apt install python3-venv"; exit 1; fi; \
	echo "Setting up .venv"; "$$python" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

.venv/runtime.stamp: .venv/bootstrap.stamp requirements/runtime.txt
	@echo "Installing what the server needs"; $(INSTALL) -r requirements/runtime.txt
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements/dev.txt
	@echo "Installing what checks and tests need"; $(INSTALL) -r requirements/dev.txt
	@touch $@

# Not `npm ci`: it refuses a lock file that lacks the binaries of platforms whose packages a registry does not carry.
NPM := $(BIN)/npm install --no-save --loglevel=error
PACKAGES := package.json package-lock.json .npmrc
node_modules/runtime.stamp: $(PACKAGES) | .venv/bootstrap.stamp
	@echo "Installing what the pages need"; $(NPM) --omit=dev
	@touch $@

node_modules/dev.stamp: $(PACKAGES) | .venv/bootstrap.stamp
	@echo "Installing what the pages and their checks need"; $(NPM)
	@touch node_modules/runtime.stamp $@
