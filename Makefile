# One verb, one command. `make run` needs nothing prepared; see README.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv/bin
JOBS ?= $(shell nproc)
# Most tests wait for servers, browsers and clocks rather than for a core.
TEST_PROCESSES ?= 2
export PYTHON
export CHROMIUM

# Data of a server started from here stays here.
export TERTULIA_DATA_DIR ?= $(CURDIR)/.data

NATIVE_SOURCES := CMakeLists.txt $(shell find sfu/native/include sfu/native/src sfu/native/bindings sfu/native/CMakeLists.txt -type f)
CPP_FILES = $(shell find sfu/native -name '*.cpp' -o -name '*.hpp')
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)

.PHONY: help run test test-threads check bench torture fuzz setup native web clean
help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/.run build/native.stamp build/web.stamp ## start everything on http://localhost:8080
	@exec $(VENV)/python -m tertulia serve

setup: .venv/.dev web/node_modules/.stamp ## everything for tests and checks, nothing started

native: .venv/.run build/native.stamp ## the native core, built into sfu/

web: build/web.stamp ## the page, built into web/app/dist

test: .venv/.dev build/native.stamp build/web.stamp ## all tests: the core's, the page's, the program's
	scripts/test-native
	cd web && npm test
	$(VENV)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

test-threads: .venv/.dev ## the core's tests again, under ThreadSanitizer
	TERTULIA_SANITIZE=thread scripts/test-native

check: .venv/.dev .venv/.check web/node_modules/.stamp ## linters, formatters and type checkers
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	cd web && npm run --silent typecheck
	cd web && npm run --silent lint
	clang-format --dry-run -Werror $(CPP_FILES)
	scripts/clang-tidy

bench: .venv/.dev build/native.stamp ## what a forwarded packet costs on this machine
	$(VENV)/python -m tertulia bench sfu

torture: .venv/.dev build/native.stamp ## kill, cut and restore for ten minutes and judge what clients saw (MINUTES, 10)
	$(VENV)/python -m pytest -m torture
	MODEL_RUNS=$${MODEL_RUNS:-30} $(VENV)/python -m pytest tests/chat/test_model.py
	$(VENV)/python -m tests.torture.run --minutes $${MINUTES:-10}

fuzz: .venv/.dev ## every fuzz target for a while (FUZZ_SECONDS, 60)
	scripts/system-packages fuzz
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check -e '.[build,fuzz]'
	scripts/fuzz
	scripts/fuzz-sdp $${FUZZ_SECONDS:-60}

clean: ## remove what was built; data stays
	rm -rf .venv build web/node_modules web/app/dist sfu/*.so

# --- stamps: a step runs again when what it was made from changes

.venv/.run: pyproject.toml scripts/system-packages
	@scripts/system-packages run
	@[ -x $(VENV)/python ] || { echo "Making the Python environment …"; $(PYTHON) -m venv .venv; }
	@echo "Installing Python packages …"
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check -e '.[build]'
	@touch $@

.venv/.dev: pyproject.toml scripts/system-packages .venv/.run
	@scripts/system-packages test
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check -e '.[build,test,dev]'
	@touch $@

.venv/.check: scripts/system-packages .venv/.run
	@scripts/system-packages check
	@touch $@

build/native.stamp: $(NATIVE_SOURCES) .venv/.run
	@echo "Building the native core …"
	@mkdir -p build
	@$(VENV)/cmake -S . -B build/native -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(VENV)/ninja \
	  -DCMAKE_BUILD_TYPE=Release -DPython_EXECUTABLE=$(CURDIR)/$(VENV)/python >build/native.log \
	  && $(VENV)/cmake --build build/native --target _core --parallel $(JOBS) >>build/native.log \
	  && $(VENV)/cmake --install build/native --component python --prefix $(CURDIR) >>build/native.log \
	  || { tail -40 build/native.log >&2; exit 1; }
	@touch $@

web/node_modules/.stamp: web/package-lock.json .venv/.run
	@echo "Installing the page's packages …"
	@cd web && npm ci --silent --no-fund --no-audit
	@touch $@

build/web.stamp: $(WEB_SOURCES) web/node_modules/.stamp
	@echo "Building the page …"
	@mkdir -p build
	@cd web && npm run --silent build >../build/web.log 2>&1 || { tail -40 ../build/web.log >&2; exit 1; }
	@find web/app/dist -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' \) -size +1k \
	  -exec gzip --keep --force --best --no-name {} +
	@touch $@
