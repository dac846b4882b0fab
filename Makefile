# Each target sets itself up: Python >= 3.11 with venv, make and PyPI are enough.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
PACKAGES := decoders rules ingest simulator tests benchmarks
INFLUXD := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/stadtfunk/influxd-1.8.10

SUMO := .venv/sumo

.PHONY: demo test faults influxd sumo check bench fuzz docs format lock clean

demo: $(READY)  ## a living city on this machine; Ctrl-C ends it
	@$(BIN)/stadtfunk demo $(ARGS)

test: $(READY)  ## all tests; those that need Mosquitto, influxd or SUMO are skipped without it, and say so
	@$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

influxd: $(INFLUXD)/influxd  ## InfluxDB 1.8.10 for the tests, once, into the user's cache; needs Go

$(INFLUXD)/influxd:
	@command -v go >/dev/null || { echo "Go 1.21 or newer is needed to install influxd" >&2; exit 1; }
	@go version | awk '{ split(substr($$3, 3), v, "."); exit !(v[1] > 1 || (v[1] == 1 && v[2] + 0 >= 21)) }' \
		|| { echo "Go 1.21 or newer is needed to install influxd, this is $$(go version)" >&2; exit 1; }
	@echo "Installing influxd 1.8.10 into $(INFLUXD) ..."
	@mkdir -p "$(INFLUXD).new"
	@GOBIN="$(INFLUXD).new" go install -ldflags "-X main.version=1.8.10" \
		github.com/influxdata/influxdb/cmd/influxd@v1.8.10
	@mkdir -p "$(INFLUXD)"
	@mv "$(INFLUXD).new/influxd" "$@"
	@rmdir "$(INFLUXD).new"

sumo: $(SUMO)  ## SUMO for the closed loop and its tests, once, 330 MB

$(SUMO): $(READY)
	@echo "Installing SUMO into .venv ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r pyproject.toml --extra sumo -c requirements.lock
	@touch $@

faults: $(READY)  ## kills, full disks, broken networks, wrong clocks, at length; ARGS="--seeds 3 --minutes 10"
	@$(BIN)/python -m tests.faults.run $(ARGS)

check: $(READY)  ## lint, format, types, floors of imports, generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m ingest.docs --check

bench: $(READY) influxd sumo  ## the figures of docs/benchmarks.md
	@$(BIN)/python benchmarks/decode.py $(ARGS)
	@$(BIN)/python benchmarks/pipeline.py $(ARGS)
	@$(BIN)/python benchmarks/drain.py
	@$(BIN)/python benchmarks/growth.py
	@$(BIN)/python benchmarks/reaction.py
	@$(BIN)/python benchmarks/rule_engine.py
	@$(BIN)/python benchmarks/routes.py
	@$(BIN)/python benchmarks/waste_tours.py
	@$(BIN)/python benchmarks/simulate.py
	@$(BIN)/python benchmarks/closed_loop.py

fuzz: $(READY)  ## a million inputs against parsers, codecs, settings and the whole chain
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r pyproject.toml --extra fuzz -c requirements.lock
	@$(BIN)/python -m tests.fuzz $(ARGS)

pictures: $(READY) influxd  ## docs/pictures: dashboards, drawn from what their queries find
	@$(BIN)/python -m tests.ingest.grafana.dashboards.pictures

docs: $(READY)  ## write the generated documents, and all of docs/ as pages into site/
	@$(BIN)/python -m ingest.docs
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r pyproject.toml --extra docs -c requirements.lock
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "site/index.html"

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(READY)  ## newest versions that fit into requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --no-annotate --no-header \
		pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist site

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv is missing: install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "Installing what requirements.lock names into .venv ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r pyproject.toml --extra demo --extra dev --extra postgresql --extra grafana \
		--extra routes -c requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)
