# One command a word. Everything runs from .venv, which is made from requirements.lock when it is missing or older.
PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13 3.10,$(shell command -v python$(v) 2>/dev/null)) python3)
VENV := .venv
READY := $(VENV)/.ready
# nbgrader calls `alembic` by name, so the environment has to be on PATH.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export TF_CPP_MIN_LOG_LEVEL ?= 3
export CUDA_VISIBLE_DEVICES ?= -1

.PHONY: grade test lint lock clean bench pictures seen validity generated mutants damaged seeds fuzz

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python tools/install.py
	@touch $@

ASSIGNMENT := custom_training_basics

# Everything from the source notebook to what an instructor returns, on the sample class as it comes.
grade: $(READY)
	@echo "Releasing $(ASSIGNMENT) …"
	@nbgrader generate_assignment $(ASSIGNMENT) --create --force --log-level=WARN
	@proctor grade $(ASSIGNMENT); graded=$$?; [ $$graded -le 1 ] || exit $$graded; \
	echo "Writing feedback pages, grades and the report …"; \
	nbgrader generate_feedback $(ASSIGNMENT) --force --log-level=ERROR && \
	nbgrader export --to reports/grades.csv --log-level=WARN && \
	proctor report $(ASSIGNMENT) && \
	echo "What students get:   release/$(ASSIGNMENT)/" && \
	echo "Graded notebooks:    autograded/<student>/$(ASSIGNMENT)/" && \
	echo "Feedback pages:      feedback/<student>/$(ASSIGNMENT)/$(ASSIGNMENT).html" && \
	echo "Grades as CSV:       reports/grades.csv" && \
	echo "The class report:    reports/$(ASSIGNMENT)/" && \
	if [ $$graded -ne 0 ]; then \
		echo "NOT GRADED:          those named above, with the reason. Put their files right, then run make grade again;"; \
		echo "                     everybody else has been graded, and is not graded twice."; \
	fi  # 1, which is no failure of this command

test: lint
	pytest -n 2 --dist loadfile

lint: $(READY)
	ruff check .
	ruff format --check .
	mypy

# Pins every package, with hashes, for Linux and macOS and for Python 3.10 to 3.13 at once. With extras: without, pip 23
# looks for the newest jsonschema[format-nongpl] and refuses it, because that is not the pinned one.
lock:
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/python -m pip install --quiet uv
	build/lock/bin/uv pip compile pyproject.toml --extra cluster --extra dev --universal --python-version 3.10 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--quiet --output-file requirements.lock

clean:
	rm -rf build $(VENV)

# What a submission costs: stock nbgrader, ours and the floor in one run; writes docs/benchmark.md. Takes a while.
bench: $(READY)
	python benchmarks/bench.py

# The pictures in README and docs, of the sample class in a real browser. Takes about a minute; needs Chromium.
pictures: $(READY)
	python tools/make_pictures.py

# Ten mistakes, typed into the release in JupyterLab; writes docs/what-students-see.md. Takes two minutes; needs Chromium.
seen: $(READY)
	python tools/what_students_see.py

# How good the hidden tests are: the catalogue of answers, graded; writes the tables of docs/validity.md.
validity: $(READY)
	python tests/answers/validity.py

# Thousands of answers that are made by combining; fails on one that is misjudged. Takes half an hour.
generated: $(READY)
	python tests/answers/generate.py

# Every mutant of the right answers, with the score by operator; fails on a survivor. Takes ten minutes on two cores.
mutants: $(READY)
	python tests/answers/mutants.py

# Ten thousand random notebooks, folders, uploads and replies; fails on one that is neither graded nor named. Takes
# some minutes; `make fuzz SEED=2` makes others.
SEED ?= 1
fuzz: $(READY)
	python tests/fuzz/fuzz.py --cases 10000 --seed $(SEED)

# A thousand right answers and a thousand wrong ones, damaged at random; fails on one that loses in silence or gains.
damaged: $(READY)
	PROCTOR_DAMAGED=1000 pytest -q -n 2 tests/repair/test_damaged.py -k damaged_at_random

# The catalogue with 200 seeds: no verdict may depend on them. Takes an hour on two cores.
seeds: $(READY)
	python tests/answers/seeds.py --seeds 200
