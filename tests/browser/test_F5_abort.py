"""Row F5: a request under way can be aborted, on every kind of promise. More of it in cases.js."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import COMBINATIONS, LATEST, OLDEST, WITHOUT_JQUERY
from tests.browser.pages import script

pytestmark = pytest.mark.every_engine


@pytest.mark.parametrize("libraries", [OLDEST, LATEST, COMBINATIONS[12], WITHOUT_JQUERY], ids=str)
def test_F5_abort_rejects_drops_the_result_and_tells_the_model(visitor: Visitor, libraries):
    visitor.open(
        script("window.ran = 0; fauxServer.get('it', () => { ran += 1; return { b: 2 } })"), libraries=libraries
    )
    assert visitor.run("""
        const model = new (Backbone.Model.extend({ url: "it" }))()
        const log = []
        model.on("all", name => log.push(name))
        fauxServer.setLatency(20)
        const returned = model.fetch()
        const rejected = new Promise(resolve => returned.then(() => resolve("answered"), reason => resolve(reason)))
        returned.abort()
        const reason = await rejected
        fauxServer.setLatency(30)
        await new Promise(resolve => Backbone.sync("read", new Backbone.Model(), { url: "it", success: resolve }))
        return [log, { status: reason.status, statusText: reason.statusText }, ran, model.toJSON()]
    """) == [["request", "error"], {"status": 0, "statusText": "abort"}, 1, {}]
    assert visitor.failures == []
