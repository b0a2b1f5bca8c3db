# Each target sets up what it needs in .venv; a second run installs nothing again.
PYTHON ?= python3
REPORT ?= data/examples/lanshan-2024.txt
VENV := .venv
BIN := $(VENV)/bin
export BENTOML_DO_NOT_TRACK = True
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: tag serve train evaluate bench bench-memory bench-service bento corpus test clean

tag: $(VENV)/.runtime
	@$(BIN)/zhuti tag "$(REPORT)"

serve: $(VENV)/.runtime
	$(BIN)/zhuti serve

# Huge pages, and memory kept for the next step: a tenth of the time; glibc alone reads it.
train evaluate: export GLIBC_TUNABLES = glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1000000000:glibc.malloc.trim_threshold=10000000000:glibc.malloc.top_pad=100000000

train: $(VENV)/.train
	$(BIN)/zhuti train

evaluate: $(VENV)/.train
	$(BIN)/zhuti evaluate

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.run

bench-service: $(VENV)/.bench
	$(BIN)/python -m benchmarks.service

bento: $(VENV)/.bento
	@$(BIN)/python -m serving.bento

corpus: $(VENV)/.runtime
	$(BIN)/python -m training.corpus

bench-memory: $(VENV)/.runtime
	$(BIN)/python -m benchmarks.memory --rows 1000000 > benchmarks/memory.json.part && mv benchmarks/memory.json.part benchmarks/memory.json

test: $(VENV)/.dev
	@for name in "$$ZHUTI_CHROMIUM" chromium chromium-browser google-chrome; do command -v "$$name" >/dev/null && exit; done; \
	  echo 'zhuti: the tests in a browser need Chromium: install it (Debian: apt install chromium fonts-noto-cjk), or name it in ZHUTI_CHROMIUM' >&2; exit 1
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zhuti needs Python 3.11 or newer, found " + sys.version.split()[0] + "; name one with make PYTHON=…")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'zhuti: no virtual environment could be made; on Debian: apt install python3-venv' >&2; exit 1; }

$(VENV)/.runtime: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.train: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable '.[train]'
	@touch $@ $(VENV)/.runtime

$(VENV)/.bench: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable '.[train,bench]'
	@touch $@ $(VENV)/.train $(VENV)/.runtime

$(VENV)/.bento: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable '.[bento]'
	@touch $@ $(VENV)/.runtime

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable '.[train,ray,dev]'
	@touch $@ $(VENV)/.train $(VENV)/.runtime

clean:
	rm -rf $(VENV) build
