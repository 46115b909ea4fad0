// Mock Service Worker: the answer comes from the page, by way of the worker that the browser asks.

import { http, HttpResponse } from "msw"
import { setupWorker } from "msw/browser"

const handlers = window.expressions.map((expression) =>
  http.get(expression, ({ params }) => HttpResponse.json(window.book(params.id))))

window.ready = setupWorker(...handlers).start({ quiet: true, onUnhandledFrame: "bypass" })
