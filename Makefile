.PHONY: demo serve test check format build lock bench loadtest soak pictures clean

demo: ; @.ci/setup run && exec .venv/bin/dropengine demo $(ARGS)
serve: ; @.ci/setup run && exec .venv/bin/dropengine serve $(ARGS)
test: ; @.ci/test
check: ; @.ci/setup dev && .ci/check
format: ; @.ci/setup dev && .venv/bin/ruff check --fix --quiet && .venv/bin/ruff format --quiet
build: ; @.ci/setup dev && .venv/bin/python -m hatchling build
bench: ; @.ci/setup dev bench && exec .venv/bin/python -m loadtest.bench $(ARGS)
loadtest: ; @.ci/setup dev bench && exec .venv/bin/python -m loadtest $(ARGS)
soak: ; @.ci/setup dev && exec .venv/bin/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)
pictures: ; @.ci/setup dev browser && exec .venv/bin/python -m tests.pictures $(ARGS)
lock: ; @.ci/setup dev && .ci/lock
clean: ; @rm -rf .venv node_modules dist dropengine/web/dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
