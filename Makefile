# Two commands for a fresh machine: `make demo` and `make test`. Python 3.11 to 3.13 with pip is
# all they need.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test bench clean

# The first interpreter that answers with a version we support.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo "$$p" && break; done)
export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# ENVS=lint,types runs less than everything.
ENVS ?=
TOX = .venv-tox/bin/tox
REPORTS = .tox/reports

help:
	@echo "make demo    train a few models on real data and look at what was captured"
	@echo "make test    every check, on each Python from 3.11 to 3.13 that is here"
	@echo "make bench   measure, with MLflow side by side"
	@echo "make clean   remove what these made"

demo: .venv-demo/installed
	@printf '\n$$ python examples/quickstart.py\n\n'
	@.venv-demo/bin/python examples/quickstart.py | tee .venv-demo/said
	@printf '\n$$ autolog runs list --limit 4\n\n'
	@.venv-demo/bin/autolog runs list --limit 4
	@best=$$(awk '/autolog runs show/ {print substr($$NF, 1, 8)}' .venv-demo/said); \
	printf '\n$$ autolog runs show %s\n\n' "$$best"; \
	.venv-demo/bin/autolog runs show "$$best"; \
	printf '\nThe runs are in ./mlruns. To look further: . .venv-demo/bin/activate, and then\n\n'; \
	printf '    autolog runs compare %s\n' "$$(.venv-demo/bin/autolog runs list --limit 2 --ids | xargs)"; \
	printf '    autolog runs search "metrics.training_log_loss < 0.05"\n'; \
	printf '    autolog artifacts list %s\n    autolog --help\n' "$$best"

test: $(TOX)
	@. .ci/interpreters.sh; rm -rf $(REPORTS); mkdir -p $(REPORTS); status=0; \
	export PYTEST_DEBUG_TEMPROOT=$$(mktemp -d); trap 'rm -rf "$$PYTEST_DEBUG_TEMPROOT"' EXIT; \
	$(TOX) run-parallel $(if $(ENVS),-e $(ENVS)) --parallel auto --parallel-no-spinner \
		--result-json $(REPORTS)/tox.json || status=$$?; \
	"$$PYTHON" .ci/summary.py $(REPORTS) $$status

bench: $(TOX)
	@. .ci/interpreters.sh; $(TOX) run -e bench -- $(ARGS)

clean:
	rm -rf .venv-demo .venv-tox .venv-boot .tox build dist

# A Python whose venv module lacks pip (some distributions split it off) gets virtualenv's.
define new_venv
	@test -n "$$PYTHON" || { echo "Python 3.11, 3.12 or 3.13 is needed, and none was found" >&2; exit 1; }
	@rm -rf $(1)
	@"$$PYTHON" -m venv $(1) 2>/dev/null || { \
		"$$PYTHON" -m pip install --quiet --target .venv-boot virtualenv && \
		PYTHONPATH=.venv-boot "$$PYTHON" -m virtualenv --quiet $(1); }
endef

.venv-tox/bin/tox: requirements/tox.txt
	$(call new_venv,.venv-tox)
	@.venv-tox/bin/python -m pip install --quiet -r requirements/tox.txt
	@touch $@

.venv-demo/installed: pyproject.toml
	$(call new_venv,.venv-demo)
	@echo "Installing autolog and scikit-learn into .venv-demo ..."
	@.venv-demo/bin/python -m pip install --quiet '.[sklearn]'
	@touch $@
