# One command each; the set-up in .venv comes by itself. `make` alone lists them.
SHELL := /bin/sh
PY := .venv/bin/python
NBVAL := -m pytest -p tests.notebooks.nbval_plugin --nbval --nbval-current-env --nbval-cell-timeout=600 \
	--nbval-sanitize-with tests/notebooks/nbval_sanitize.cfg

# The archives of Omniglot, where they lie beside this folder; elsewhere chapter 09 fetches them into the user's cache.
ifneq ($(wildcard ../shared/omniglot/all_runs.zip),)
export GAML_DATA ?= $(abspath ../shared/omniglot)
endif

.PHONY: help lab run test store site site-check slides bench portability badge
help:
	@echo "make lab          open the chapters in JupyterLab"
	@echo "make run          run every chapter and solution; what came out as a site in build/run/site"
	@echo "make test         unit tests, and every notebook against its stored outputs"
	@echo "make store        write the stored outputs (for contributors); ONLY=08 picks a chapter"
	@echo "make site         the chapters as a web site, in build/site"
	@echo "make site-check   the site in a real browser: widths, links, axe-core"
	@echo "make slides       each chapter as slides, in build/slides"
	@echo "make bench        speeds, as ratios measured side by side"
	@echo "make portability  the notebooks under imitated processors and thread counts; ONLY=Nehalem picks one"
	@echo "make badge        write the buttons of Binder, Colab and Codespaces for this clone into README.md"

# The server's root is the repository, so that links out of the chapters lead somewhere.
lab: .venv/ready
	JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter" $(PY) -m jupyterlab --ServerApp.root_dir=. notebooks/00_start_here.ipynb

run: .venv/ready
	$(PY) tests/notebooks/run_notebooks.py run

# Two processes, a thread each: a notebook is one process's (loadfile), and so are neighbouring tests (worksteal).
test: .venv/ready
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pytest -n 2 --dist worksteal tests
	TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 $(PY) $(NBVAL) -n 2 --dist loadfile notebooks

store: .venv/ready
	$(PY) tests/notebooks/run_notebooks.py store $(ONLY)

# Out of what is stored: nothing is run.
site: .venv/ready
	$(PY) docs/build_site.py

# Chromium or Chrome, and .venv/bin/pip install -e ".[browser]".
site-check: site
	$(PY) docs/check_site.py build/site

slides: .venv/ready
	$(PY) docs/build_slides.py

# The peers in other libraries are measured where they are installed: .venv/bin/pip install -e ".[bench]".
bench: .venv/ready
	$(PY) tests/benchmarks/numpy_speed.py
	$(PY) tests/benchmarks/keras_speed.py $(if $(STORE),--store)
	$(PY) tests/benchmarks/workers_speed.py $(if $(STORE),--store)

# Other processors are imitated by the libraries for matrix products of NumPy and of TensorFlow.
portability: .venv/ready
	@for setting in $(or $(ONLY),Nehalem Haswell SSE41 AVX2 one-thread two-threads); do \
	  case $$setting in \
	    one-thread) set_to="OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1" ;; \
	    two-threads) set_to="OPENBLAS_NUM_THREADS=2 OMP_NUM_THREADS=2 TF_NUM_INTRAOP_THREADS=2 TF_NUM_INTEROP_THREADS=2" ;; \
	    SSE41|AVX2) set_to="TF_ENABLE_ONEDNN_OPTS=1 ONEDNN_MAX_CPU_ISA=$$setting" ;; \
	    *) set_to="OPENBLAS_CORETYPE=$$setting" ;; \
	  esac; \
	  echo "== $$set_to"; env $$set_to $(PY) $(NBVAL) notebooks || exit 1; \
	done

badge: .venv/ready
	$(PY) docs/launch.py badges

# An interpreter counts if it runs: a name on the path may be a stand-in for one that is not installed. pip says much;
# awk keeps a word for each package, and pip's exit status, which a pipe would lose. All cores compile the modules, where
# pip would take one; some packages hold files that are for no Python, or for another one.
.venv/ready: pyproject.toml constraints.txt
	@set -e; found=; \
	for python in python3.13 python3.12 python3.11 python3 python; do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    found=$$python; break; \
	  fi; \
	done; \
	if command -v uv >/dev/null 2>&1; then \
	  echo "Set-up, once: uv makes .venv with Python $${found:-3.11} ..."; \
	  uv venv -q --clear --python "$${found:-3.11}" .venv; \
	  echo "Set-up: installing the packages of the chapters, about 2 GB: a few minutes ..."; \
	  uv pip install --python $(PY) -e ".[keras,lab,test]" -c constraints.txt; \
	elif [ -n "$$found" ]; then \
	  echo "Set-up, once: $$found makes .venv ..."; \
	  $$found -m venv --clear .venv; \
	  echo "Set-up: installing the packages of the chapters, about 2 GB: a few minutes ..."; \
	  { $(PY) -m pip install --no-compile --disable-pip-version-check --progress-bar off -e ".[keras,lab,test]" -c constraints.txt \
	      || failed=1; echo "status $${failed:-0}"; } | awk '/^Collecting/ { sub(/[<>=!~;[].*/, "", $$2); print "  " $$2; fflush() } \
	    /^Installing/ { print "Set-up: putting them in place ..."; fflush() } /^status/ { status = $$2 } END { exit status }'; \
	else \
	  echo "Python 3.11, 3.12 or 3.13 is needed, and none of them runs here: see https://www.python.org/downloads/"; \
	  exit 1; \
	fi; \
	echo "Set-up: compiling them ..."; \
	$(PY) -m compileall -q -j 0 -x '[/\\]tests?[/\\]' .venv/lib >/dev/null 2>&1 || true; \
	echo "Set-up: done."
	@touch $@
