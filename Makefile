# `make` alone lists the targets. What was made is remembered by the stamps in .venv, so that nothing is made twice.

# The newest Python that the tests run on, else any that is new enough.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
# Processes that run tests, each with a database and servers of its own.
JOBS ?= 2

PO := $(wildcard locale/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
STATIC := $(shell find static)
READY := .venv/project $(MO) staticfiles/staticfiles.json

# Chromium and the others are programs that tests start; msgfmt is for those who write translations.
CHROMIUM := chromium
POSTGRESQL := postgresql
APACHE := apache2 libapache2-mod-auth-openidc
GETTEXT := gettext
OIDC_AGENT := oidc-agent-cli
NODE := nodejs npm
HAS_POSTGRESQL := { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench specifications lock packages

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(READY) ## Install what is missing and serve on http://localhost:1411
	@exec $(BIN)/pocketid serve

# Twice: on PostgreSQL what a database could make a difference to, then everything on SQLite.
PYTEST := DATA_PATH=.venv/check $(BIN)/pytest -n $(JOBS) --dist loadfile
test: .venv/test $(READY) packages .venv/node .venv/go-app ## Run all tests
	@status=0; \
	if [ -n "$$CI" ] || $(HAS_POSTGRESQL); then echo "Tests on PostgreSQL"; $(PYTEST) --postgres || status=$$?; fi; \
	echo "Tests on SQLite"; $(PYTEST) || status=$$?; \
	exit $$status

check: .venv/test .venv/project ## Look for mistakes without running tests: format, types, migrations, settings, lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	DATA_PATH=.venv/check $(BIN)/python manage.py makemigrations --check --dry-run
	DATA_PATH=.venv/check APP_URL=https://id.example.org $(BIN)/python manage.py check --deploy --fail-level WARNING
	DATA_PATH=.venv/check $(BIN)/pytest -q tests/project/test_requirements.py

bench: .venv/test $(READY) ## Measure the real server under load
	@$(BIN)/python -m benchmarks.run $(BENCH_FLAGS)
	@$(BIN)/python -m benchmarks.lists

specifications: .venv/test ## Write docs/specifications.md again, from the tests
	$(BIN)/python -m tests.specifications

# Pins that are there stay as they are: `make lock LOCK_FLAGS=--upgrade` takes newer ones.
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -q $(LOCK_FLAGS)
lock: .venv/test ## Write requirements/*.txt again, from pyproject.toml
	$(LOCK) pyproject.toml -o requirements/base.txt
	$(LOCK) pyproject.toml --extra granian -c requirements/base.txt -o requirements/granian.txt
	$(LOCK) pyproject.toml --extra granian --group test -c requirements/base.txt -o requirements/test.txt
	$(LOCK) requirements/build.in -c requirements/test.txt -o requirements/build.txt

.venv/made:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "pocketid needs Python 3.11 or newer. Install it, or name it: make run PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		$(call apt-get,$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'))
	@test -x $(BIN)/python || { echo "Making .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	@touch $@

.venv/base: requirements/base.txt requirements/build.txt | .venv/made
	@echo "Installing what pocketid needs; this takes about a minute"
	@$(PIP) --require-hashes -r requirements/base.txt -r requirements/build.txt
	@touch $@

.venv/project: pyproject.toml .venv/base
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

.venv/test: requirements/test.txt .venv/base
	@echo "Installing what the tests need"
	@$(PIP) --require-hashes -r requirements/test.txt
	@touch $@

# polib does what msgfmt does, and comes with the lock files.
%.mo: %.po | .venv/base
	@$(BIN)/python -c 'import sys, polib; polib.pofile(sys.argv[1]).save_as_mofile(sys.argv[2])' $< $@

# The key is for nothing here: it keeps Django's start from making one. Two packages bring pages that are never shown.
staticfiles/staticfiles.json: $(STATIC) .venv/base
	@env -u ENCRYPTION_KEY_FILE ENCRYPTION_KEY=only-for-collectstatic $(BIN)/python manage.py collectstatic --no-input --clear --verbosity 0 --ignore rest_framework --ignore oauth2_provider
	@touch $@

# JavaScript's client libraries. Nothing of them runs while they are installed.
.venv/node: tests/relying_parties/node/package-lock.json | .venv/made packages
	@if command -v npm >/dev/null; then \
		echo "Installing JavaScript libraries that the tests sign in with"; \
		cd $(<D) && npm ci --ignore-scripts --no-audit --no-fund --silent && touch $(CURDIR)/$@; \
	elif [ -n "$$CI" ]; then echo "npm is missing"; false; else echo "The tests that need npm's packages are skipped."; fi

# An app with the client libraries of Go. Nobody needs Go for anything else: without it, or with an old one, it is left out.
.venv/go-app: $(wildcard tests/relying_parties/go/*) | .venv/made
	@if command -v go >/dev/null; then echo "Building an app in Go that the tests sign in with"; \
		cd $(<D) && GOTOOLCHAIN=local go build -buildvcs=false -o $(CURDIR)/$@ . || echo "It cannot be built; its tests are skipped."; fi

packages:
	@missing=""; \
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$$missing $(CHROMIUM)"; \
	$(HAS_POSTGRESQL) || missing="$$missing $(POSTGRESQL)"; \
	test -x /usr/sbin/apache2 -a -e /usr/lib/apache2/modules/mod_auth_openidc.so || missing="$$missing $(APACHE)"; \
	command -v oidc-agent >/dev/null || missing="$$missing $(OIDC_AGENT)"; \
	command -v node >/dev/null && command -v npm >/dev/null || missing="$$missing $(NODE)"; \
	command -v msgfmt >/dev/null || missing="$$missing $(GETTEXT)"; \
	test -z "$$missing" || $(call apt-get,$$missing) || echo "The tests that need them are skipped."

# Installs as root, or as somebody who may without a password; tells anybody else what is missing.
define apt-get
{ if ! command -v apt-get >/dev/null; then how=no; elif [ "$$(id -u)" = 0 ]; then how="env"; elif sudo -n true 2>/dev/null; then how="sudo -n env"; else how=no; fi; \
	if [ "$$how" = no ]; then echo "Missing:" $(1)". On Debian, root can: apt-get install" $(1); false; \
	else echo "Installing" $(1); $$how apt-get update -qq && $$how DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(1) >/dev/null; fi; }
endef
