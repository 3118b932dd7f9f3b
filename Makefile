# The verbs of the README. Each sets up all that it needs; everything is kept under $LABELSPACE_HOME, nothing in the clone.
export LABELSPACE_HOME ?= $(HOME)/.labelspace
export UV_PROJECT_ENVIRONMENT := $(LABELSPACE_HOME)/tools/venv-$(shell pwd | cksum | cut -d' ' -f1)
UV := $(LABELSPACE_HOME)/tools/uv/bin/uv
RUN := $(UV) run --frozen --no-sync

.PHONY: test lint setup

test: setup lint
	$(RUN) pytest

lint: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy components stacks tests
	$(RUN) lint-imports

setup: $(UV)
	@$(UV) sync --frozen --quiet

$(UV):
	python3 -m venv $(LABELSPACE_HOME)/tools/uv
	$(LABELSPACE_HOME)/tools/uv/bin/pip install --quiet "uv>=0.13.8,<0.14"
