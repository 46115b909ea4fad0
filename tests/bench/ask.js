// What a benchmark's page can do: Backbone requests, one after another or all at once, to urls that are never the same.

{
  let asked = 0

  /** The urls that may be asked for, by name: a function of a number that goes on counting. */
  window.urls = {
    books: (n) => `books/${n}`,
    later: (n) => `later/${n}`,
    waits: (n) => `waits/${n}`,
    js: (n) => `js/${n}`,
  }

  const Book = Backbone.Model.extend({})
  const fetchOne = (url) => new Promise((resolve, reject) => {
    new Book().fetch({
      url, success: resolve, error: (book, reason) => reject(new Error(`${url}: ${JSON.stringify(reason)}`)),
    })
  })

  // Milliseconds a request.
  window.oneAfterAnother = async (name, count) => {
    const url = window.urls[name]
    const start = performance.now()
    for (let n = 0; n < count; n += 1) await fetchOne(url(asked += 1))
    return (performance.now() - start) / count
  }

  window.atOnce = async (name, count) => {
    const url = window.urls[name]
    const start = performance.now()
    await Promise.all(Array.from({ length: count }, () => fetchOne(url(asked += 1))))
    return (performance.now() - start) / count
  }
}
