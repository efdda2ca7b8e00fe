PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run chat ingest test check bench eval models lock clean

help:  ## Show what there is
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run  ## Set up, build the index if there is none, start the Telegram bot (or the terminal chat without a token)
	@$(BIN)/python -m bot

chat: .venv/run  ## The same, always the terminal chat
	@$(BIN)/python -m bot chat --build

ingest: .venv/run  ## Bring the index in line with the documents
	@$(BIN)/python -m ingest sync

test: .venv/dev  ## All checks and tests
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest

check: .venv/dev  ## ruff, mypy, valid documents, structure
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m ingest check
	@$(BIN)/python -m pytest tests/unit/test_structure.py

bench: .venv/dev  ## Speed and memory of a warm answer
	@$(BIN)/python -m tests.benchmarks.answer
	@$(BIN)/python -m tests.benchmarks.figures
	@$(BIN)/python -m tests.benchmarks.publishing

eval: .venv/dev  ## Quality on the evaluation set, beside the stock recipe
	@$(BIN)/python -m ingest evaluate --baseline --repeat

models: .venv/dev  ## Install sentence-transformers and torch, for other encoders
	@echo "Set EMBEDDING_MODEL in .env; see .env.example."

lock: .venv/dev  ## Pin the newest versions that pyproject.toml allows
	@$(BIN)/pip-compile -q --upgrade $(LOCK) -o requirements/run.txt pyproject.toml
	@$(BIN)/pip-compile -q --upgrade $(LOCK) --extra dev --extra models -c requirements/run.txt -o requirements/dev.txt pyproject.toml
	@sed -i 's/^torch==\([0-9.]*\)+cpu/torch==\1/' requirements/dev.txt
LOCK := --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

clean:  ## Remove the virtual environment (never your data)
	rm -rf .venv

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/run: requirements/run.txt | .venv/python
	@$(BIN)/pip install --quiet -r $<
	@touch $@

.venv/dev: requirements/dev.txt | .venv/python
	@$(BIN)/pip install --quiet -r $<
	@touch $@ .venv/run
