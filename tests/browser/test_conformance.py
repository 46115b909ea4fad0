"""The table that every host answers alike, asked in the page."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.site import Site
from tests.conformance import CASES, FILE, ROUTES

pytestmark = pytest.mark.every_engine

METHODS = {"POST": "create", "GET": "read", "PUT": "update", "DELETE": "delete", "PATCH": "patch"}

RUN = """
    const own = Backbone.ajax
    const ask = ({ method, url, data }) => new Promise(resolve => {
      const options = { url, data: data === null ? undefined : data }
      options.success = value => resolve([options.faux.status, value])
      options.error = value => resolve([options.faux.status, value])
      Backbone.ajax = () => resolve(null)
      // A model that has nothing to send.
      Backbone.sync(method, Object.assign(new Backbone.Model(), { toJSON: () => undefined }), options)
    })
    const answers = []
    for (const steps of given) {
      await fauxServer.reset()
      const answered = []
      for (const step of steps) answered.push(await ask(step))
      answers.push(answered)
    }
    Backbone.ajax = own
    return answers
"""


def test_the_page_answers_as_every_host_does(visitor: Visitor, site: Site):
    site.write(f"/{FILE}", ROUTES)
    visitor.open(routes=[f"/{FILE}"])
    asked = [
        [{"method": METHODS[request.method], "url": request.url, "data": request.data} for request, _ in case.steps]
        for case in CASES
    ]
    # Backbone.sync hands values over, and has nothing that is no body: 200 where HTTP has 204.
    expected = {
        case.name: [
            answer and [200 if answer.status == 204 else answer.status, answer.body] for _, answer in case.steps
        ]
        for case in CASES
    }
    answers = visitor.run(RUN, asked)
    assert dict(zip((case.name for case in CASES), answers, strict=True)) == expected
