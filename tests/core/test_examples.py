"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import fauxserver

MODULES = [
    module.name for module in pkgutil.iter_modules(fauxserver.__path__) if module.name not in ("hosts", "__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    module = importlib.import_module(f"fauxserver.{name}")

    assert doctest.testmod(module).failed == 0


def test_there_are_examples():
    found = [
        test
        for name in MODULES
        for test in doctest.DocTestFinder().find(importlib.import_module(f"fauxserver.{name}"))
        if test.examples
    ]

    assert len(found) >= 20
