// What a benchmark's page can do: requests, one after another or all at once, to urls that are never the same.

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
  const withBackbone = (url) => new Promise((resolve, reject) => {
    new Book().fetch({
      url, success: resolve, error: (book, reason) => reject(new Error(`${url}: ${JSON.stringify(reason)}`)),
    })
  })

  const withFetch = async (url) => {
    const response = await fetch(url)
    see(url, await response.json())
  }

  const withXHR = async (url) => {
    const text = await new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest()
      xhr.open("GET", url)
      xhr.onload = () => resolve(xhr.responseText)
      xhr.onerror = () => reject(new Error(`${url}: an error`))
      xhr.send()
    })
    see(url, JSON.parse(text))
  }

  // Fast is only who is right.
  const see = (url, book) => {
    if (!url.endsWith(`/${book.id}`)) throw new Error(`${url}: ${JSON.stringify(book)}`)
  }

  const clients = { backbone: withBackbone, fetch: withFetch, xhr: withXHR }

  // Milliseconds a request.
  window.oneAfterAnother = async (name, count, client = "backbone") => {
    const url = window.urls[name]
    const askFor = clients[client]
    const start = performance.now()
    for (let n = 0; n < count; n += 1) await askFor(url(asked += 1))
    return (performance.now() - start) / count
  }

  window.atOnce = async (name, count, client = "backbone") => {
    const url = window.urls[name]
    const askFor = clients[client]
    const start = performance.now()
    await Promise.all(Array.from({ length: count }, () => askFor(url(asked += 1))))
    return (performance.now() - start) / count
  }
}
