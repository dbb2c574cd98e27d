# `make` lints and tests. `make demo` shows the product on real data.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PORT   ?= 8000
SERVE  ?= 1

.PHONY: test lint types layers unit demo bench bench-serve soak format lock docs clean

test: lint types layers unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/pytest -n 2 --dist loadfile

demo: $(READY)
	$(BIN)/mallard demo --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pins every package with its hashes. No registry is named: pip asks whichever it is set up for.
lock: $(READY)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group samples --group dev --python-version 3.11 \
	  --no-emit-index-url --no-annotate --no-header --generate-hashes --output-file requirements.lock

# The pages that are made from the code; tests fail when they are not current.
docs: $(READY)
	$(BIN)/python -m features.tags.document > docs/tags.md
	$(BIN)/python -m serving.cli.reference > docs/cli.md
	$(BIN)/python -m serving.api.write_openapi docs/openapi.json

# The benchmarks whose data comes inside packages; benchmarks/README.md has the others.
bench: $(READY)
	$(BIN)/mallard bench recommend benchmarks/complete_journey.yaml --out result_complete_journey.json
	$(BIN)/mallard bench churn benchmarks/cdnow_churn.yaml --out result_cdnow_churn.json

# Answers per second, their times, swaps under load; needs wrk and hey. The first run makes a mall and trains on it.
bench-serve: $(READY)
	$(BIN)/python benchmarks/bench_serve.py --work var/bench-serve --out result_serving.json

# Ten minutes of steady load on the same mall: do the workers grow? Ends with an error when one does, or a call fails.
soak: $(READY)
	$(BIN)/python benchmarks/soak.py --work var/bench-serve --minutes 10

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
