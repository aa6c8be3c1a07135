# make demo, make test and make lint set themselves up: they need Python >= 3.11, make and PyPI, and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest -q
# Imported modules are compiled once, as for users; without that each test process compiles them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test unit coverage live fetch servers smoke frozen trimmed fix twin lint types bench bench-twice fuzz model changelog clean

demo: $(VENV)/.demo
	$(BIN)/imapkit demo

test: unit live

UNIT = -n auto -m "not live and not heavy" $(addprefix --ignore tests/,faults fuzz live programs security trim typing)
unit: $(VENV)/.test
	$(PYTEST) $(UNIT)

# The unit tests, and what of the command line is tested with the live ones; sys.monitoring costs little, from Python 3.12 on.
MEASURED = COVERAGE_CORE=$(shell $(BIN)/python -c 'import sys; print("sysmon" if hasattr(sys, "monitoring") else "ctrace")') \
	$(BIN)/python -m coverage run -m pytest -q
coverage: $(VENV)/.coverage
	$(BIN)/python -m coverage erase
	$(MEASURED) $(UNIT)
	$(MEASURED) -n auto -m "(live or heavy) and not frozen" --timeout 120 tests/cli tests/trim
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

live: $(VENV)/.test
	$(PYTEST) -n 4 --dist loadfile -m "(live or heavy) and not frozen" --timeout 120 --ignore tests/typing

# The servers that the machine has not installed; root's tests run them.
fetch:
	$(PYTHON) -m tests.servers.fetch

# The commands and layers against every server, without stress, faults and other programs.
servers: $(VENV)/.test
	$(PYTEST) -n 4 --dist loadfile --timeout 120 -m "live and not heavy" tests/live tests/test_docs.py

# The same against the server that needs nothing installed.
smoke: $(VENV)/.test
	$(PYTEST) -n 4 --dist loadfile --timeout 120 tests/live tests/test_docs.py -k "pymap or docs"

# Programs in one file, by shiv and PyInstaller.
frozen: $(VENV)/.frozen
	IMAPKIT_REQUIRE_SERVERS=1 $(PYTEST) -m frozen tests/trim

# The base alone, with each other family alone, and all: tests, sizes, import times.
trimmed: $(VENV)/.test
	$(BIN)/python -m tests.trim.builds

# Imports, format, and the lint that ruff can fix.
fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What type checkers and editors see of the typed clients, from the families' typed commands.
twin: $(VENV)/.dev
	$(BIN)/python -m tools.typed_twin
	$(BIN)/ruff check -q --fix --select I,F401 imapkit/typed/client.pyi
	$(BIN)/ruff format -q imapkit/typed/client.pyi

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(PYTEST) tests/typing
	$(BIN)/towncrier build --draft --version next >/dev/null

# BENCH="--small", "--works noops bodies --rounds 3" ...: see python -m bench --help
PAGE = --document docs/benchmarks.md --readme README.md
FIGURES = docs/benchmarks/first.json docs/benchmarks/second.json
COMPARED = $(BIN)/python -m bench --node $(VENV)/node
bench: $(VENV)/.bench
	$(COMPARED) $(or $(BENCH),--json $(firstword $(FIGURES)) $(PAGE))

# All of it once more, and the page from both.
bench-twice: bench
	$(COMPARED) --json $(lastword $(FIGURES))
	$(COMPARED) --compare $(FIGURES) $(PAGE)

# make model SECONDS=60: random servers against the engine; without SECONDS, ten minutes.
model: SECONDS = 600
model: $(VENV)/.test
	$(BIN)/python -m tests.engine --seconds $(SECONDS)

# make fuzz SECONDS=600: the time for each target
SECONDS ?= 60
fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz framing --seconds $(SECONDS)
	$(BIN)/python -m tests.fuzz grammar --seconds $(SECONDS)
	$(BIN)/python -m tests.fuzz session --seconds $(SECONDS)

# The fragments in changelog.d in one text; with RELEASE=0.2.0 they move into CHANGELOG.md.
changelog: $(VENV)/.dev
	$(BIN)/towncrier build $(if $(RELEASE),--yes --version $(RELEASE),--draft --version next)

clean:
	rm -rf $(VENV) .venvs build dist trimmed .coverage .coverage.*

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("imapkit needs Python 3.11 or later, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.%: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[$*]'
	@touch $@
