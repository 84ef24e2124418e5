# Two commands for a newcomer: `make run` serves the dashboard, `make test` runs every test. Both set everything up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DELETE_ON_ERROR:
.PHONY: run test lint browser screenshots demo lock clean

run: $(VENV)/.run$(if $(GPU),-gpu)
	$(BIN)/python app.py

test: $(VENV)/.dev browser
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# One on PATH, else Debian's where it may be installed, else Playwright's own.
browser: $(VENV)/.dev
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	{ test "$$(id -u)" = 0 && command -v apt-get && apt-get update -qq && \
	  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || \
	$(BIN)/playwright install chromium

screenshots: $(VENV)/.dev browser
	$(BIN)/python docs/make_screenshots.py

# Anew after another default network, recipe or algorithm; without RESULTS=1 the micrographs are simulated too.
demo: $(VENV)/.dev
	$(BIN)/python -m antema.web.make_demo $(if $(RESULTS),--results-only)

lock:
	uv pip compile -q --universal --python-version 3.11 --no-header pyproject.toml -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --no-header --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.11 --no-header --extra gpu -c requirements.txt pyproject.toml -o requirements-gpu.txt

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"ANTEMA needs Python 3.11 or newer, found {v.major}.{v.minor}; choose another with  make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	$(BIN)/python -m antema.analysis.warm_up
	@touch $@

$(VENV)/.run-gpu: $(VENV)/.run requirements-gpu.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-gpu.txt
	@touch $@

$(VENV)/.dev: $(BIN)/python requirements-dev.txt pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	$(BIN)/python -m antema.analysis.warm_up
	@touch $@
