# Two commands matter: `make demo` and `make test`. Every path is relative to this folder, whose own
# name may hold a space; `make -C "this folder" …` works from anywhere.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test benchmark peers lint types layers docs unit postgresql coverage fuzz format cassettes reference promises translations pictures clean dev-venv

# A Python to build .venv with, and further arguments: make unit ARGS="-k ledger", make demo ARGS="--profiles 10000"
# With EXTRAS=all, or CI=true, `make test` also fetches PySpark, 490 MB: make test EXTRAS=all
ARGS :=
# How long `make fuzz` gives each parser
SECONDS := 60
IN_VENV := .venv/bin/python

help: ## List these targets
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  %-14s%s\n", $$1, $$2 }'

demo: ## Install, then show a whole export on 1,000,000 made-up profiles, offline
	@sh .ci/venv
	@$(IN_VENV) examples/demo/demo.py $(ARGS)

test: dev-venv lint types layers docs unit ## Install, then run everything that CI runs (EXTRAS=all: PySpark too, 490 MB)

benchmark: ## Measure a whole export beside a bare script, at 1 and 10 million profiles
	@sh .ci/venv
	@$(IN_VENV) -m benchmarks.end_to_end $(ARGS)

peers: ## Measure a whole export beside a plain loop, dlt, singer-sdk and drt, on two days
	@sh .ci/venv
	@$(IN_VENV) -m benchmarks.peers $(ARGS)

dev-venv:
	@sh .ci/venv dev

lint: dev-venv ## Lint, and check the format (ruff)
	@echo "== lint: ruff check"
	@$(IN_VENV) -m ruff check --quiet .
	@echo "== format: ruff format --check"
	@$(IN_VENV) -m ruff format --check --quiet .

types: dev-venv ## Check the types (mypy, strict)
	@echo "== types: mypy"
	@$(IN_VENV) -m mypy --no-error-summary

layers: dev-venv ## Check that each room imports only from floors below it (import-linter)
	@echo "== layers: import-linter"
	@.venv/bin/lint-imports --no-logo

docs: dev-venv ## Build the docs, warnings as errors, with pictures of the terminal, into docs/_build/html
	@echo "== docs: sphinx"
	@$(IN_VENV) -m sphinx --fail-on-warning --keep-going --fresh-env --quiet -b html docs docs/_build/html

unit: dev-venv ## Run the tests (pytest)
	@echo "== tests: pytest"
	@$(IN_VENV) -m pytest -n auto --dist worksteal $(ARGS)

postgresql: dev-venv ## Run the end-to-end tests (pytest) once more, with their state in PostgreSQL
	@CDP_TEST_STATE=postgresql $(IN_VENV) -m pytest -n auto --dist worksteal plugins/tests/e2e $(ARGS)

coverage: dev-venv ## Run the tests with branch coverage, which doubles their time
	@$(IN_VENV) -m pytest -n auto --dist worksteal --cov --cov-report=term $(ARGS)

fuzz: dev-venv ## Fuzz every parser, each for a minute (SECONDS=600: longer; ARGS="-k answer": some)
	@CDP_FUZZ_SECONDS=$(SECONDS) $(IN_VENV) -m pytest -n auto --dist worksteal -o timeout=0 \
		plugins/tests/fuzz $(ARGS)

format: dev-venv ## Mend what ruff can mend
	@$(IN_VENV) -m ruff check --fix-only --quiet .
	@$(IN_VENV) -m ruff format --quiet .

cassettes: dev-venv ## Record the tests' cassettes anew, against the simulator
	@$(IN_VENV) plugins/tests/snapchat/record_cassettes.py

reference: dev-venv ## Write the reference pages anew from the code
	@$(IN_VENV) docs/generate.py

promises: dev-venv ## Record what is promised (settings, commands, codes, hooks) anew, unless it breaks somebody
	@for plugin in files snapchat webhook; do .venv/bin/cdp plugins record "$$plugin" || exit; done
	@$(IN_VENV) plugins/tests/support/promises.py

translations: dev-venv ## Gather the texts to be translated from the code, and compile the catalogues
	@$(IN_VENV) docs/translations.py

pictures: dev-venv ## Draw the pictures of the terminal anew: the pages' own, and the README's from a real demo
	@$(IN_VENV) docs/pictures.py
	@$(IN_VENV) examples/demo/demo.py --picture docs/_static/demo.svg

clean: ## Remove all that make has made: .venv, .demo, caches and builds
	rm -rf .venv .demo build dist docs/_build .coverage .coverage.* .hypothesis \
		.mypy_cache .pytest_cache .ruff_cache examples/*/.ruff_cache .import_linter_cache
