"""The README's Python runs as it is printed, that of the hosts too, which the runtime in the page has not."""

from tests.core.test_readme import FOLLOWING, run


def test_the_examples_run_in_their_order_and_what_they_assert_holds():
    hosts = run(FOLLOWING)

    assert {"serving", "attach", "FauxTransport", "FauxAdapter"} <= hosts.keys()
