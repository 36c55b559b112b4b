# Everything happens in .venv, which the first target to need it makes. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help
help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

.PHONY: install
install: $(INSTALLED) ## make .venv with all that the project needs

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

.PHONY: demo
demo: $(INSTALLED) ## a whole release through real Envoys under load
	@$(BIN)/bluegreen demo

.PHONY: prometheus
prometheus: ## the Prometheus that the tests ask, from Debian's package (as root, where it is missing)
	@command -v prometheus promtool >/dev/null || { apt-get update -qq && \
	  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends prometheus; }

.PHONY: test
test: $(INSTALLED) ## all tests but the slow ones
	$(BIN)/pytest -m 'not slow' -q -n 2 --dist worksteal

.PHONY: again
again: $(INSTALLED) ## the tests that failed last, one after the other
	$(BIN)/pytest -m 'not slow' -q --last-failed --last-failed-no-failures=none

.PHONY: soak
soak: $(INSTALLED) ## the slow tests: 200 releases in a row under load
	$(BIN)/pytest -m slow -q

.PHONY: bench
bench: $(INSTALLED) ## the tables of docs/benchmarks.md
	@$(BIN)/python -m bench

.PHONY: check
check: $(INSTALLED) ## ruff, mypy strict, import-linter, generated code up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-cache
	$(BIN)/python protos/generate.py --check

.PHONY: format
format: $(INSTALLED) ## format the code and sort the imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: protos
protos: $(INSTALLED) ## generate the Python code of protos/
	$(BIN)/python protos/generate.py

.PHONY: lock
lock: ## pin what a fresh environment resolves to, in constraints.txt
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	{ echo "# What the project is built and tested with. Made by 'make lock'."; \
	  .venv-lock/bin/pip freeze --exclude-editable; } > constraints.txt
	rm -rf .venv-lock

.PHONY: clean
clean: ## remove .venv and what the tools leave
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info build dist
