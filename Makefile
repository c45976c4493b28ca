.DEFAULT_GOAL := help
PYTHON ?= python3

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# written at the end of an installation alone, so that an interrupted one is taken up again
INSTALLED := .venv/installed
$(INSTALLED): pyproject.toml constraints.txt
	@scripts/set-up $(PYTHON)

sync: $(INSTALLED) ## synchronize once and print the checklist; with a sandbox if no real system is configured
	@scripts/with-sandbox .venv/bin/talk-pipeline sync

up: $(INSTALLED) ## the Dagster UI with the sensors on; with a sandbox if no real system is configured
	@scripts/with-sandbox scripts/up

test: $(INSTALLED) ## the tests: every part by itself, whole runs of every day, and the proofs
	.venv/bin/python -m pytest -n 3 --dist loadgroup -m "not slow and not rare"

test-runs: $(INSTALLED) ## whole runs of every other day: what goes wrong, what people decide, orders from placed to posted
	.venv/bin/python -m pytest -n 3 --dist loadgroup -m "rare and not slow"

# what companies add to the three flows, and shops of other shapes
MORE = $(addprefix talk_pipeline_tests/,pipeline/optional systems/customwebshop/shops)
test-more: $(INSTALLED) ## optional flows and additions, and shops that are connected by a description
	.venv/bin/python -m pytest -n 3 --dist loadgroup -m "not slow" $(MORE)

# with the folders that pyproject.toml leaves out; named beside one above them they would stay left out
EVERYWHERE = -o 'norecursedirs=.* browser scale' talk_pipeline_tests

# what has a target of its own
APART = proof engine/plan/test_oracle.py documents/test_corpus.py pipeline/test_story.py
test-slow: $(INSTALLED) ## those that take long: many steps, the daemon, large books; variants, the story, kills, faults, plans and the corpus are targets of their own
	.venv/bin/python -m pytest -n 4 --dist loadgroup -m "slow and not variant" $(EVERYWHERE) $(addprefix --ignore=talk_pipeline_tests/,$(APART))

variants: $(INSTALLED) ## many variants of questions of which `make test` asks one or two: faults, answers, moments
	.venv/bin/python -m pytest -n 3 --dist loadgroup -m variant $(EVERYWHERE) $(addprefix --ignore=talk_pipeline_tests/,$(APART))

corpus: $(INSTALLED) ## three hundred documents of all kinds made into flow files
	.venv/bin/python -m pytest -n 2 talk_pipeline_tests/documents/test_corpus.py

kills: $(INSTALLED) ## runs that are killed at every point, each three times in a process of its own
	.venv/bin/python -m pytest -n 3 --dist loadgroup talk_pipeline_tests/proof/test_kills.py

plans: $(INSTALLED) ## a million plans against the rule in plain Python
	ORACLE_RECORDS=1500 .venv/bin/python -m pytest -n 2 talk_pipeline_tests/engine/plan/test_oracle.py

faults: $(INSTALLED) ## everything that can go wrong between the systems and us, alone and mixed
	.venv/bin/python -m pytest -n 3 --dist loadgroup talk_pipeline_tests/proof/test_grid.py

SAMPLE ?= 0
SEED ?= 1
AT_ONCE ?= 1
mutants: $(INSTALLED) ## small mistakes in what plans and applies, and whether the tests notice; SAMPLE=100 of them by chance, SEED=1 says which, AT_ONCE=2 of them side by side; all of them take a night
	.venv/bin/python -m talk_pipeline_tests.proof.mutants --sample $(SAMPLE) --seed $(SEED) --at-once $(AT_ONCE)

test-profiles: $(INSTALLED) ## whole runs against every shop that is described; takes hours
	for shop in woocommerce bare cents enveloped liar; do \
	  echo "== $$shop"; .venv/bin/python -m pytest -n 3 --dist loadgroup $(EVERYWHERE)/pipeline -m "not slow" --shop-profile $$shop || exit 1; done

test-browser: $(INSTALLED) ## the pages as people see them, in Chromium; what was seen is in data/screenshots
	@scripts/browser
	.venv/bin/python -m pytest -n 1 talk_pipeline_tests/browser

pictures: test-browser ## what was seen, as the pictures of the documents
	.venv/bin/python -m talk_pipeline_tests.browser.pictures

COMPANIES ?= 50
test-scale: $(INSTALLED) ## several machines: real Postgres, Redis and Celery workers; COMPANIES=8 for a small one; figures are printed
	@scripts/servers
	COMPANIES=$(COMPANIES) .venv/bin/python -m pytest -n 0 -s talk_pipeline_tests/scale

night: test-runs test-more test-slow variants corpus kills faults plans scenarios lives story test-scale test-browser ## all that takes too long for every change, one after the other; `make -k night` goes on after a failure

lint: $(INSTALLED) ## style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

check-defs: $(INSTALLED) ## what Dagster's `dg` says of this project, and of one that has the component
	@scripts/check-defs

advisories: $(INSTALLED) ## what is known against the packages used; a warning only
	@scripts/advisories

story: $(INSTALLED) ## thirty edits on both sides, each with what comes of it; ends with 1 when anything came out otherwise
	.venv/bin/python -m talk_pipeline_tests.story

HOURS ?= 1
SCENARIOS ?= 1000000
soak: $(INSTALLED) ## random scenarios against the invariants for HOURS=1 or SCENARIOS=n, one a core, with restores, lost databases and all shops; keeps one that fails in data/soak
	.venv/bin/python -m talk_pipeline_tests.invariants --hours $(HOURS) --scenarios $(SCENARIOS)

scenarios: SCENARIOS = 200
scenarios: SEED = 50000
scenarios: HOURS = 10
scenarios: $(INSTALLED) ## the 200 from SEED=50000 on, of 30 steps each; those that fail are kept in data/soak
	.venv/bin/python -m talk_pipeline_tests.invariants --go-on --length 30 --seed $(SEED) --scenarios $(SCENARIOS) --hours $(HOURS)

LIVES ?= 1000
lives: $(INSTALLED) ## random lives of orders, from placed to paid or given back, LIVES=1000 of them, a world a core, with faults and killed runs
	.venv/bin/python -m talk_pipeline_tests.lives --lives $(LIVES)

docs: $(INSTALLED) ## writes the documents that are made from the code
	.venv/bin/python -m talk_pipeline_tests.docs

FIGURES ?=
bench: $(INSTALLED) ## the benchmarks, or those of FIGURES="orders keys landing"; writes data/bench.json
	.venv/bin/python -m talk_pipeline_tests.bench $(FIGURES)

SIZES ?= 1000000
ROUNDS ?= 5
bench-large: $(INSTALLED) ## the engine on large books, against floors and peers; SIZES="100000 1000000" pairs, ROUNDS=5 of each
	@scripts/bench-large --rounds $(ROUNDS) $(SIZES)

day: $(INSTALLED) ## a day at an edit a second in which a tenth of all calls fail: what grows
	.venv/bin/python -m talk_pipeline_tests.bench day

.PHONY: help sync up test night test-runs test-more test-slow variants corpus kills plans faults mutants test-profiles test-browser pictures test-scale lint check-defs advisories soak scenarios bench bench-large day story lives docs
