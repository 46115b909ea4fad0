"""Row F2: every combination of Backbone, Underscore and jQuery, and every engine, runs the same table, cases.js."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import COMBINATIONS, LATEST, Combination
from tests.browser.pages import script

# A case that is lost is a promise that nobody checks any more: adding one means saying so here.
CASES = 238


@pytest.mark.parametrize("libraries", [each for each in COMBINATIONS if each is not LATEST], ids=str)
def test_F2_every_combination_behaves_alike(visitor: Visitor, libraries):
    behaves(visitor, libraries)


@pytest.mark.every_engine
def test_F2_every_engine_behaves_alike(visitor: Visitor):
    behaves(visitor, LATEST)


def behaves(visitor: Visitor, libraries: Combination) -> None:
    visitor.open(
        script("/tests/cases.js"),
        libraries=libraries,
        before=[script("window.nativeSync = Backbone.sync")],
        routes=["/tests/routes.py"],
    )
    results = visitor.run("return runCases()")
    assert {name: actual for name, actual, _ in results} == {name: expected for name, _, expected in results}
    assert len(results) == len({name for name, _, _ in results}) == CASES
