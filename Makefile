# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
VIDEO ?= out/demo.mkv
OUT := out

.PHONY: demo test lint bench bench-quick bench-trainer bench-learning figures clean

$(BIN)/vmaf-tune: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(BIN)/vmaf-tune
	$(PIP) -e '.[test,plot,train]'
	@touch $@

$(VENV)/.lint: $(BIN)/vmaf-tune
	$(PIP) -e '.[lint]'
	@touch $@

# A generated clip with detail, motion and grain, so that its curve is not flat.
out/demo.mkv: | $(BIN)/vmaf-tune
	@mkdir -p $(OUT)
	$(BIN)/python examples/make_clip.py $@

# What is learned from a clip that no camera shot stays beside that clip.
DEMO_STATE = $(if $(filter $(OUT)/demo.mkv,$(VIDEO)),--cache-dir $(OUT)/demo-state)

## demo: install, then find the CRF of a generated clip (or of VIDEO=file) and learn from it
demo: $(BIN)/vmaf-tune $(VIDEO)
	$(BIN)/vmaf-tune --crf-search --plugin ridge-sidecar -i "$(VIDEO)" -e libx264 --min-vmaf 93 $(DEMO_STATE)

## test: install what tests need, and pass them
test: $(VENV)/.test
	$(BIN)/python -m pytest

## lint: ruff, and mypy on the host
lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

## bench: our searches against bisection and ab-av1's rule, on the same probes of ten clips in one run (hours; it goes on where it was)
bench: $(VENV)/.test
	$(BIN)/python benchmarks/search.py

## bench-quick: the same on three clips with x264 and one target
bench-quick: $(VENV)/.test
	$(BIN)/python benchmarks/search.py --encoders libx264:medium --targets 93 --clips 3 --output out/bench-quick

## bench-learning: what a correction learns from streams of captures, shifted and not
bench-learning: $(VENV)/.test
	$(BIN)/python benchmarks/learning.py

## bench-trainer: what the trainer's service and client do and cost (minutes)
bench-trainer: $(VENV)/.test
	$(BIN)/python benchmarks/trainer.py

## figures: the figures of docs/, drawn by the product itself; reports are photographed in chromium (minutes)
figures: $(VENV)/.test out/demo.mkv
	$(BIN)/vmaf-tune crf-search -i out/demo.mkv -e libsvtav1 --min-vmaf 88 --plot docs/search.svg --no-cache
	$(BIN)/python -m tests.report.figures out/figures docs

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info
