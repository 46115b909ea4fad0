"""The cases themselves, held against the original: what they call kept it does, what mended it does otherwise."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import COMBINATIONS
from tests.browser.pages import ORIGINAL, html, script


@pytest.mark.parametrize("libraries", [COMBINATIONS[0], COMBINATIONS[3], COMBINATIONS[5], COMBINATIONS[-3]], ids=str)
def test_the_original_does_what_the_cases_say_of_it(visitor: Visitor, libraries):
    visitor.visit(
        html(
            script("/tests/cases.js"),
            libraries=libraries,
            faux=None,
            before=[script("window.nativeSync = Backbone.sync")],
        )
    )
    results = visitor.run("return runCases({ original: given })", ORIGINAL)
    assert {name: actual for name, actual, _ in results} == {name: expected for name, _, expected in results}
    assert [name for name, _, _ in results] == visitor.run("return caseNames(['kept', 'mended'])")
