# Every target sets itself up. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
VENV := python3 firmware/flashing/venv.py
export PYTHONPATH := $(CURDIR)/firmware:$(CURDIR)

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s $$'\t'

setup: ## the two environments: the agent's and the unit's
	@$(VENV) .venv requirements-dev.txt --editable .
	@$(VENV) .venv-unit requirements-unit.txt --no-deps
	@$(PY) tests/tools/unit_env.py

demo: setup ## one patrol evening, live (ONCE=1: the 60 s script; COUNTY=mqtts://… NMEA=log GPS=/dev/tty…)
	@$(PY) -m tests.evening $(if $(ONCE),--once) $(if $(COUNTY),--county "$(COUNTY)") $(if $(NMEA),--nmea "$(NMEA)") $(if $(GPS),--gps "$(GPS)")

debian: # what the tests need from Debian; root or sudo installs it, otherwise it is named
	@python3 tests/tools/debian.py

micropython32: ## MicroPython built 32-bit with single-precision floats, as on the ESP32 (cached)
	@tests/tools/micropython32.sh

test: setup debian ## prove it: every test, on CPython and on MicroPython (64 and 32 bit)
	-@tests/tools/micropython32.sh
	@$(PY) -m pytest tests -n 2 --dist loadfile

lint: setup ## ruff and pyright (agent strict; firmware against the MicroPython stubs)
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright -p pyrightconfig.agent.json
	@.venv/bin/pyright -p pyrightconfig.firmware.json
	@$(PY) -m hardware.check

hardware: setup debian ## render wiring, power, case and sheets from the tables
	@$(PY) -m hardware.render

bench: $(addprefix bench-,unit duty agent sensors dock flash desk) ## measure everything, one after the other

bench-%: setup debian micropython32 ## measure one part (unit duty agent sensors dock flash desk): one JSON object on the last line
	@$(PY) tests/bench/bench_$*.py

soak: setup debian ## ten minutes of a night: 200 units, 50 events/s, the page open; then kill -9s: one JSON object
	@$(PY) -m tests.soak

kit: setup ## the technician's offline kit (MICROPYTHON=file-or-url SHA256=…)
	@./flash.sh kit --micropython "$(MICROPYTHON)" $(if $(SHA256),--sha256 $(SHA256))

flash-pictures: setup ## the technician's pictures, made by running flash.sh on doubles
	@$(PY) -m tests.firmware.flashing.pictures

screenshots: setup debian ## the staff's page, each view in both languages
	@$(PY) -m tests.edge_agent.desk.screenshots

docs: setup # MESSAGES.md from the contract's rows
	@$(PY) -m tests.tools.render_messages
	@$(PY) -m tests.tools.render_figures
	@dot -Tsvg hardware/system.dot -o hardware/pictures/system.svg

names: setup micropython32 # after MicroPython or its stubs changed: the names that it knows
	@$(PY) -m tests.tools.known_names

lock: setup # after a version changed
	@$(PY) -m pip install -q pip-tools && $(PY) tests/tools/lock.py

.PHONY: help setup demo debian micropython32 test lint hardware soak kit flash-pictures screenshots bench docs names lock
