# The verbs of the README. Each sets up all that it needs; everything is kept under $LABELSPACE_HOME, nothing in the clone.
export LABELSPACE_HOME ?= $(HOME)/.labelspace
export UV_PROJECT_ENVIRONMENT := $(LABELSPACE_HOME)/tools/venv-$(shell pwd | cksum | cut -d' ' -f1)
UV := $(LABELSPACE_HOME)/tools/uv/bin/uv
RUN := $(UV) run --frozen --no-sync

DEMO := $(LABELSPACE_HOME)/demo
WORKSPACE ?= demo

BENCH ?=
TEMPLATE := stacks/labelspace_ops/stack/template

.PHONY: bench demo credentials contract test parts checks unit e2e lint docs wheel sbom main-job scaleway-prices scaleway-smoke setup surroundings

demo: surroundings
	@$(UV) sync --frozen --quiet --group demo
	$(RUN) labelspace create $(WORKSPACE) --yes --reuse-data --bucket demo-photos --bucket demo-science \
	    --description "Sample photographs, a video and a text file"
	@$(RUN) python examples/demo/samples.py $(DEMO)
	$(RUN) labelspace upload $(WORKSPACE) $(DEMO)/photos --bucket demo-photos
	$(RUN) labelspace upload $(WORKSPACE) $(DEMO)/science --bucket demo-science
	@$(RUN) labelspace status $(WORKSPACE)
	@echo "  password   make credentials"
	@echo "  commands   $(LABELSPACE_HOME)/bin/labelspace --help"
	@echo "  next       open the URL and sign in; the samples are under Connected file share"

credentials:
	@$(RUN) labelspace credentials $(WORKSPACE)

# Lint and unit tests run while the parts of the end-to-end tests are set up.
test: setup
	@$(MAKE) --no-print-directory -j2 parts checks
	$(RUN) pytest testbed/contract tests/e2e -n 2 --durations=40

parts: setup
	@$(RUN) python -m testbed all

checks: setup
	@$(MAKE) --no-print-directory -j1 lint unit

# No engine, no network: under a minute.
unit: setup
	$(RUN) pytest tests/unit -n 2 --durations=10

e2e: parts
	$(RUN) pytest testbed/contract tests/e2e -n 2 --durations=40

# All figures, or some: make bench BENCH="create upload --pairs 1"; `make bench BENCH=--help` names them.
bench: surroundings
	$(RUN) python -m bench $(BENCH)

# PYTEST: more arguments for pytest. VERSION: another version of CVAT; its line's file gets the result.
contract: surroundings
	$(RUN) $(if $(VERSION),python -m testbed.contract_run $(VERSION),pytest testbed/contract) $(PYTEST)

main-job: surroundings
	$(RUN) pytest tests/e2e/local/test_main_job.py tests/e2e/package $(PYTEST)

# The price table's servers against the account's API. PRICES=--write: the new prices go into the table.
scaleway-prices: setup
	@$(RUN) python -m testbed.scaleway_prices $(PRICES)

# The target scaleway on an account of yours: says the cost, asks, removes everything at the end. SMOKE: more flags.
scaleway-smoke: surroundings
	@$(RUN) python -m testbed.scaleway_smoke $(SMOKE)

surroundings: setup
	@$(RUN) python -m testbed prepare

lint: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy components stacks tests docs bench/*.py
	$(RUN) lint-imports
	$(RUN) python -m tests.vocabulary
	$(RUN) python -m docs.generate --check
	@$(RUN) python -m testbed actionlint
	$(LABELSPACE_HOME)/tools/actionlint .github/workflows/*.yml $(TEMPLATE)/preview.yml

docs: setup
	$(RUN) python -m docs.generate

# The package and its source archive, in dist/.
wheel: $(UV)
	@rm -rf dist
	$(UV) build --quiet
	@ls dist/*.whl dist/*.tar.gz

# What the package depends on, as CycloneDX.
sbom: $(UV)
	$(UV) export --quiet --frozen --no-dev --all-extras --format cyclonedx1.5 --output-file sbom.cdx.json

setup: $(UV)
	@$(UV) sync --frozen --quiet
	@mkdir -p $(LABELSPACE_HOME)/bin && ln -sf $(UV_PROJECT_ENVIRONMENT)/bin/labelspace $(LABELSPACE_HOME)/bin/labelspace

$(UV):
	python3 -m venv $(LABELSPACE_HOME)/tools/uv
	$(LABELSPACE_HOME)/tools/uv/bin/pip install --quiet "uv>=0.13.8,<0.14"
