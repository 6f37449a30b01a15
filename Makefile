# Auria from a checkout. `make` alone lists the targets. Needs Python 3.11 or newer, pip and make.

COUNT ?= 3
ARGS ?=
NAME ?=
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)

PIP := -m pip --disable-pip-version-check --no-input
# The demo lives in demo/, whatever settings the user has; its first run is the same for everyone.
DEMO = env $(shell env | sed -n 's/^\(AURIA_[A-Za-z0-9_]*\)=.*/-u \1/p') AURIA_HOME="$(CURDIR)/demo"
PDS := tests/platforms/pds
TOOLS := chart mlflow storage tensorboard
COMPILE = .venv-test/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header
WITHOUT_TORCH := --override requirements/without-torch.txt --no-emit-package torch
EXTRAS = $(filter-out dev,$(shell sed -n '/^\[project.optional-dependencies\]/,/^\[project.scripts\]/s/^\([a-z-]*\) = .*/\1/p' pyproject.toml))
# What a lock holds beyond another one, a line for each package.
beyond = awk '{ sub(/^ +/, " "); line = line $$0 } sub(/ *\\$$/, "", line) { next } \
	NR == FNR { known[line] } NR != FNR && !(line in known) { print line } { line = "" }' requirements/$(1).txt -
FIRST_SEED = $(if $(wildcard demo/auria.db),,--seed 64)
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.PHONY: help demo review web test test-live tensorboard lab lint bench run man gallery screenshots lock size clean python

help:  ## List the targets.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo '  variables: COUNT=3 (demo)  NAME=poet-form (bench)  ARGS="..." (run, test)  PYTHON=/path/to/python3.12'

demo: .venv/.installed  ## Install Auria into .venv and let her make COUNT artworks in demo/.
	@$(DEMO) .venv/bin/auria make --count $(COUNT) $(FIRST_SEED)
	@$(DEMO) .venv/bin/auria sheet demo/contact-sheet.jpg
	@echo 'Look at them one by one:  make review    (or: AURIA_HOME=demo .venv/bin/auria review)'
	@echo 'See what you approved in the browser:  make web    (http://127.0.0.1:8620, with the live studio at /studio)'

review: .venv/.installed  ## Review the drafts of the demo, one key each.
	@$(DEMO) .venv/bin/auria review

web: .venv/.installed  ## Put what you approved into the demo's folder, and open its pages, at http://127.0.0.1:8620.
	@.venv/bin/python -c 'import argon2, fastapi, jinja2, uvicorn' 2>/dev/null \
		|| $(call install,.venv) --require-hashes -r requirements/extras/web.txt
	@$(DEMO) .venv/bin/auria publish --channel folder
	@$(DEMO) AURIA_WEB__STUDIO=true .venv/bin/auria web --open

test: .venv-test/.installed  ## Run the tests in .venv-test, which holds torch too.
	@.venv-test/bin/python -m pytest -n auto --dist worksteal $(ARGS)

test-live: .venv-test/.installed .venv-chart/.installed .venv-mlflow/.installed .venv-storage/.installed $(PDS)/node_modules/.installed  ## Run the tests that need a real Bluesky server (npm installs it), Helm, MLflow or SeaweedFS.
	@.venv-test/bin/python -m pytest tests/live $(ARGS)

tensorboard: .venv-tensorboard/.installed  ## Show the curves of trainings in AURIA_HOME, at http://127.0.0.1:6006.
	@.venv-tensorboard/bin/tensorboard --logdir "$${AURIA_HOME:-$$HOME/.local/share/auria}/train" $(ARGS)

lab: .venv-test/.installed .venv-tensorboard/.installed  ## Open JupyterLab on notebooks/, and TensorBoard at http://127.0.0.1:6006.
	@.venv-test/bin/python -c 'import ipykernel, jupyterlab, nbclient' 2>/dev/null \
		|| $(call install,.venv-test) --require-hashes -r requirements/extras/lab.txt
	@.venv-tensorboard/bin/tensorboard --logdir "$${AURIA_HOME:-$$HOME/.local/share/auria}/train" & trap "kill $$!" EXIT INT TERM; \
		.venv-test/bin/python -m jupyterlab --notebook-dir notebooks $(ARGS)

lint: .venv-test/.installed  ## Check style and types.
	@.venv-test/bin/ruff check .
	@.venv-test/bin/ruff format --check .
	@.venv-test/bin/mypy

bench: .venv-test/.installed $(if $(filter chart,$(NAME)),.venv-chart/.installed) $(if $(filter registry,$(NAME)),.venv-mlflow/.installed) $(if $(filter film-posts,$(NAME)),$(PDS)/node_modules/.installed)  ## Run the benchmarks, or NAME only; exit 1 when a bar is missed.
	@.venv-test/bin/python -m tests.bench $(NAME)

run: .venv/.installed  ## Run the command line, e.g. make run ARGS='make --theme "first snow"'.
	@.venv/bin/auria $(ARGS)

man: .venv/.installed  ## Show the man page, which a wheel installs.
	@.venv/bin/python docs/manual.py | man -l -

screenshots: .venv-test/.installed  ## Photograph the web pages for README.md, of a copy of AURIA_HOME.
	@.venv-test/bin/python -m docs.screenshots

gallery: .venv/.installed  ## Make the artworks that README.md shows anew.
	@.venv/bin/python docs/gallery.py

lock: .venv-test/.installed  ## Resolve the locked requirements anew from pyproject.toml.
	@.venv-test/bin/python $(PIP) install -qq uv
	@$(COMPILE) --upgrade pyproject.toml requirements/build.in -o requirements/base.txt
	@$(COMPILE) --upgrade $(WITHOUT_TORCH) --constraint requirements/base.txt --extra dev \
		pyproject.toml requirements/build.in requirements/torch-needs.in -o requirements/test.txt
	@$(COMPILE) --no-annotate --constraint requirements/test.txt requirements/torch.txt \
		| $(call beyond,test) | grep -v '^torch==' > requirements/cuda.txt
	@mkdir -p requirements/extras; for extra in $(EXTRAS); do $(COMPILE) --no-annotate $(WITHOUT_TORCH) \
		--constraint requirements/test.txt --extra $$extra pyproject.toml $$(test $$extra != torch || echo requirements/torch-needs.in) \
		| $(call beyond,base) > requirements/extras/$$extra.txt; done
	@for tool in $(TOOLS); do $(COMPILE) --upgrade --no-annotate requirements/tools/$$tool.in -o requirements/tools/$$tool.txt; done
	@echo 'Wrote base.txt, test.txt, cuda.txt, extras/ and tools/ of requirements/.'

size: .venv/.installed  ## Print what the base install takes on disk.
	@du -sm .venv | awk '{print "base install: " $$1 " MB"}'

clean:  ## Remove the virtual environments and caches; demo/ stays.
	@rm -rf .venv .venv-test $(TOOLS:%=.venv-%) $(PDS)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

python:
	@test -n "$(PYTHON)" || { echo 'Auria needs Python 3.11 or newer, and none was found on the PATH.' >&2; \
		echo 'Install one, or name it: make demo PYTHON=/path/to/python3.12' >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; \
		sys.exit(v < (3, 11) and "Auria needs Python 3.11 or newer; %s is %d.%d. Name a newer one: make demo PYTHON=/path/to/python3.12" % (sys.executable, v[0], v[1]))'

.venv/.installed: pyproject.toml requirements/base.txt | python
	@echo 'Installing Auria into .venv: about 120 MB to download the first time ...'
	@$(call environment,.venv)
	@$(call install,.venv) --require-hashes -r requirements/base.txt
	@$(call install,.venv) --no-build-isolation -e .
	@$(call check,.venv)
	@touch $@

.venv-test/.installed: pyproject.toml requirements/test.txt requirements/torch.txt requirements/cuda.txt | python
	@echo 'Installing the test environment into .venv-test, torch included; the first time takes a few minutes ...'
	@$(call environment,.venv-test)
	@$(call install,.venv-test) --require-hashes -r requirements/test.txt
	@$(call install,.venv-test) -r requirements/torch.txt
	@case "$$(.venv-test/bin/python $(PIP) show torch)" in *cuda-toolkit*) \
		$(call install,.venv-test) --require-hashes -r requirements/cuda.txt ;; esac
	@$(call install,.venv-test) --no-build-isolation -e .
	@$(call check,.venv-test)
	@touch $@

# Programs that tests and benchmarks start have an environment of their own: they weigh much, or do not fit together with Auria's packages.
$(TOOLS:%=.venv-%/.installed): .venv-%/.installed: requirements/tools/%.txt | python
	@echo 'Installing the tools of requirements/tools/$*.in into .venv-$*; the first time takes a few minutes ...'
	@$(call environment,.venv-$*)
	@$(call install,.venv-$*) --require-hashes -r $<
	@$(call check,.venv-$*)
	@touch $@

$(PDS)/node_modules/.installed: $(PDS)/package.json $(PDS)/package-lock.json
	@command -v npm >/dev/null || { echo 'The real Bluesky server needs Node.js 20 or newer with npm: https://nodejs.org' >&2; exit 1; }
	@echo 'Installing the real Bluesky server into $(PDS)/node_modules: 360 MB; the first time takes a few minutes ...'
	@# Packages are compiled against Node's headers where they lie beside node; npm would fetch them otherwise.
	@prefix=$$(dirname "$$(dirname "$$(node -p process.execPath)")"); \
	test -n "$$npm_config_nodedir" || ! test -e "$$prefix/include/node/node.h" || export npm_config_nodedir="$$prefix"; \
	npm ci --prefix $(PDS) --no-audit --no-fund --loglevel=error
	@touch $@

# Nothing is resolved at installation: the locks hold every package, so no release that came after them can disturb it.
install = $(1)/bin/python $(PIP) install -qq --no-deps

# Whether the installed packages fit together; a package that an earlier lock left behind may not.
define check
found="$$($(1)/bin/python $(PIP) check)" || { echo "$$found" >&2; \
	echo 'The packages in $(1) do not fit together. Start anew: rm -r $(1), then the same command again.' >&2; exit 1; }
endef

# A virtual environment with pip in it; Debian's Python may lack the part that brings pip along.
define environment
test -x $(1)/bin/python || "$(PYTHON)" -m venv $(1) >/dev/null 2>&1 \
	|| { rm -rf $(1); "$(PYTHON)" -m venv --without-pip $(1) && "$(PYTHON)" $(PIP) --python $(1)/bin/python install -qq pip; } \
	|| { echo 'The virtual environment could not be made; on Debian and Ubuntu: apt install python3-venv python3-pip' >&2; exit 1; }
endef
