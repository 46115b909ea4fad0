"""How fast the faux server is; `python -m tests.bench` prints it."""
