// fetch-mock: a function in the place of fetch, which keeps a list of the calls.

import fetchMock from "fetch-mock"

for (const expression of window.expressions) {
  fetchMock.get(`express:${expression}`, ({ expressParams }) => ({ body: window.book(expressParams.id) }))
}
fetchMock.mockGlobal()
window.forget = () => fetchMock.clearHistory()
