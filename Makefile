# Three commands: `make demo`, `make test`, `make localnet`. Each sets everything up. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
BIN := .venv/bin
CARGO ?= cargo
CHAIN ?= embedded

.PHONY: help demo demo-cluster localnet test audit chaos soak fuzz mutants interop test-browser test-validator web check-web check-wheel release venv programs check-programs idl check-idl rust-test lint lock

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: venv ## the network's economy on an embedded chain: 20 years in a minute or two
	@$(BIN)/ionet demo

demo-cluster: venv ## then: hire two devices on it, for real, and run five jobs on their cluster
	@$(BIN)/ionet cluster demo

localnet: venv ## a network of your own: a node for any client, keys with money, pages on it; Ctrl+C ends it (WORKERS=2: devices that prove and are hired)
	@$(BIN)/ionet localnet --web 8080 $(if $(WORKERS),--workers $(WORKERS))

test: venv ## all tests on the committed programs; needs no Rust
	@$(BIN)/pytest -n 4 -q -m "not chaos and not interop and not browser" # Half of them wait for processes.

audit: venv ## the auditors' run: the demo's network audited, every test that docs/assurance.md names; CHAIN=validator
	@if [ $(CHAIN) = validator ]; then CARGO=$(CARGO) toolchain/validator install; fi
	@CARGO=$(CARGO) $(BIN)/python -m scripts.auditors_run $(CHAIN)

chaos: venv ## two keepers behind a node that misbehaves in every way, killed and frozen: minutes
	@$(BIN)/pytest -n 2 -q -rP -m chaos tests/keeper

soak: venv ## 100,000 random actions of everybody, a year of 10,000 devices, 200 kills on each database: an hour or more; writes docs/soak.md
	@$(BIN)/python -m tests.soak

fuzz: venv ## every parser of strangers' bytes for two minutes each, guided by coverage (atheris, x86-64)
	@$(BIN)/python -m tests.fuzz

mutants: venv ## rules with one place changed, which a test must notice: of modules that nobody looked at as they are, ten minutes
	@$(BIN)/python -m tests.mutants

interop: venv ## other people's clients on the interfaces, byte for byte: needs node 20, npm and PyPI
	@$(BIN)/pytest -q -rs tests/interop

test-browser: venv web ## pages in Chromium (apt-get install chromium): needs node 20 and npm
	@$(BIN)/pytest -n 2 -q -rs tests/browser

test-validator: venv ## the scenarios of tests/e2e on a solana-test-validator (builds it when missing: an hour, once)
	@CARGO=$(CARGO) toolchain/validator install
	@$(BIN)/pytest -q --chain validator tests/e2e tests/interop/test_localnet.py

web: venv ## build the pages' scripts into keeper/web/static: needs node 20 and npm
	@$(BIN)/python -m toolchain.web build

check-web: venv ## types and tests of the pages' scripts, then build them elsewhere and compare every byte
	@$(BIN)/python -m toolchain.web check

check-wheel: venv ## build the package, and use it installed elsewhere, with all extras and with few
	@$(BIN)/python -m toolchain.wheel

release: venv ## the newest commit's package, programs, IDLs and scripts into dist/, built twice and compared
	@$(BIN)/python -m toolchain.release

venv: .venv/ready ## the Python environment, by the hashes in requirements.lock

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "python3 >= 3.11 is needed; install it, or say which one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "setting up .venv from requirements.lock, once"
	@$(PYTHON) -m venv .venv || { echo "python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip install -q --require-hashes --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@touch $@

programs: ## build every program into programs/artifacts (installs the toolchain, 2 minutes once)
	@$(PYTHON) -m toolchain.programs build

check-programs: ## rebuild the programs elsewhere and compare every byte
	@$(PYTHON) -m toolchain.programs check

idl: ## write idl/*.json and idl/legacy/*.json from the programs
	@$(PYTHON) -m toolchain.idl write

check-idl: ## fail when the IDLs are not what the programs say, or an address differs between files
	@$(PYTHON) -m toolchain.program_ids check
	@$(PYTHON) -m toolchain.idl check

rust-test: ## format, lints and native tests of the Rust code
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --quiet --workspace --all-targets --locked -- -D warnings
	@$(CARGO) test --quiet --workspace --locked

lint: venv ## ruff, mypy, and who may import whom
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format -q --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lock: venv ## resolve requirements.lock, and renters' runtime, anew
	@$(BIN)/uv lock -q --upgrade
	@$(BIN)/uv export -q --format requirements-txt --all-extras --no-extra ray --all-groups --no-emit-project --no-header -o requirements.lock
	@echo 'ray[default]==2.60.0' | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate - -o keeper/compute/runtime.lock
