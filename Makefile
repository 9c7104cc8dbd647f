# The two commands, and a few beside them. Every target sets up what it needs in .venv.
.PHONY: help demo test browser sandbox mutants hostile fuzz kills small postgres lab bench clean env
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that the packages support; `make PYTHON=... demo` picks another.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c \
	'import sys; (3, 11) <= sys.version_info[:2] < (3, 14) and print("$(p)")' 2>/dev/null)))

help:
	@echo "make demo   build, release, grade a class of ten, report, run the digits"
	@echo "make test   everything that CI checks"
	@echo "make env    set up, and nothing else"
	@echo "make small  the notebook on one core, with half the memory and no facts about caches"
	@echo "make mutants  small changes of the reference: do its tests notice?"
	@echo "make hostile  hand in what attacks the grader, all of it: no point, nothing touched"
	@echo "make fuzz   100,000 spoilt messages to the judge: data comes of it, or one clean error"
	@echo "make kills  kill -9 at random moments while a class is graded: are the grades the same?"
	@echo "make postgres  the gradebook's tests against a PostgreSQL server of their own"
	@echo "make lab    JupyterLab on the student's notebook"
	@echo "make bench  the kernels against NumPy, SciPy, PyTorch and ONNX Runtime (tito bench)"
	@echo "make clean  remove .venv and what was built; never submissions, grades or make lab's folder"

env: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null || { echo "'$(PYTHON)' is no Python 3.11, 3.12 or 3.13. Install one, or name it:\
 make PYTHON=/path/to/python3 demo"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) (1.2 GB, a few minutes the first time)"
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Python's venv module is missing: on Debian and\
 Ubuntu, install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: env sandbox
	@$(BIN)/tito demo

test: env sandbox browser
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W error -c "import importlib, pkgutil, tinytorch; \
	[importlib.import_module(m.name) for m in pkgutil.walk_packages(tinytorch.__path__, 'tinytorch.')]"
	$(BIN)/tito build --check
	$(BIN)/tito validate-tests
	$(BIN)/pytest -n 2 --dist loadfile

# What the machine itself has to bring. Installed where that asks nobody for a password (Debian and
# what is made from it, as root or with sudo). $(1): packages, $(2): what for, $(3): without it.
define install
if [ "$$(id -u)" = 0 ]; then as_root=env; else as_root="sudo -n"; fi; \
if [ -e /etc/debian_version ] && $$as_root true 2>/dev/null; then \
echo "Installing $(2)"; \
export DEBIAN_FRONTEND=noninteractive; \
install="$$as_root apt-get install -y -qq --no-install-recommends $(1)"; \
$$install >/dev/null 2>&1 || { $$as_root apt-get update -qq && $$install >/dev/null; } \
|| echo "It could not be installed: $(3)"; \
else echo "$(2) is not here: $(3)"; fi
endef

# Submissions run in a sandbox of bubblewrap's (Linux). Where it cannot be had, docs/container.md.
sandbox:
	@command -v bwrap >/dev/null && exit 0; \
	$(call install,bubblewrap,bubblewrap,tito grade refuses here and the demo trusts its own class (tito doctor says more))

# The browser tests click through the notebook in Chromium; where there is none, pytest names them.
browser:
	@for name in $(CHROMIUM) chromium chromium-browser google-chrome google-chrome-stable; do \
	command -v $$name >/dev/null && exit 0; done; \
	$(call install,chromium fonts-dejavu-core,Chromium,the browser tests are skipped)

# The whole notebook as in a small container: one core, half of the memory, no facts about caches.
small: env
	tests/small_machine.sh $(BIN)/pytest tests/lesson/test_run_all.py tests/lab

# A server in a temporary folder, from Debian's package postgresql, as a plain user.
postgres: env
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	-e '.[dev,postgres]'
	TINYTORCH_POSTGRES=1 $(BIN)/pytest tests/postgres

mutants: env
	@$(BIN)/tito mutate

# make test tries one attack of each kind, this all of them.
hostile: env sandbox
	SANDBOX_TESTS=required $(BIN)/pytest -n 2 --dist worksteal -m 'long or not long' \
	tests/course/test_hostile.py

# make test tries a few hundred, the same each time; this others in each run.
fuzz: env
	TINYTORCH_FUZZ=100000 $(BIN)/pytest tests/course/test_wire_fuzz.py

kills: env sandbox
	@$(BIN)/python -m benchmarks.kills

lab: env
	@$(BIN)/tito lab

bench: $(VENV)/.bench
	@$(BIN)/tito bench

$(VENV)/.bench: $(VENV)/.ready
	@echo "Adding the peers of the race to $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	-e '.[dev,bench]' && touch $@ || echo "They cannot all be installed: the race goes on without"

clean:
	rm -rf $(VENV) dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache \
		.import_linter_cache
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name student -exec rm -rf {} +; fi
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
