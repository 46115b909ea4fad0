// How the conformance table is asked where there is JavaScript: `run(given, surroundings)`, in a page and in Node.

/**
 * Ask the cases of each door, and give their answers: status, headers, and a body whose characters are its bytes; of
 * Backbone.sync the value. What has gone to the real server is null.
 *
 * @param {Record<string, object[][]>} given  By door, each case's requests.
 * @param {{ Backbone: any, fauxServer: any, base: string }} surroundings  `base` is put before each url.
 */
async function run(given, { Backbone, fauxServer, base }) {
  const METHODS = { POST: "create", GET: "read", PUT: "update", DELETE: "delete", PATCH: "patch" }
  // The real server alone sends one of these.
  const OF_THE_REAL_SERVER = "server"
  const toBytes = text => text === null ? undefined : Uint8Array.from(text, letter => letter.charCodeAt(0))
  const toText = bytes => Array.from(bytes, byte => String.fromCharCode(byte)).join("")
  const lower = headers =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const doors = {
    "Backbone.sync": ({ method, url, data }) => new Promise(resolve => {
      const options = { url, data: data === null ? undefined : data }
      options.success = options.error = value => {
        resolve([options.faux.status, lower(options.faux.headers), value])
      }
      Backbone.ajax = () => resolve(null)
      // A model that has nothing to send.
      Backbone.sync(METHODS[method], Object.assign(new Backbone.Model(), { toJSON: () => undefined }), options)
    }),
    fetch: async ({ method, url, headers, body, meanwhile, leaves }) => {
      const response = await fetch(base + url, { method, headers, body: toBytes(body) })
      if (response.headers.has(OF_THE_REAL_SERVER)) return null
      const reader = response.body?.getReader()
      let text = ""
      for (let read = await reader?.read(); read && !read.done; read = await reader.read()) {
        text += toText(read.value)
        if (leaves) {
          await reader.cancel()
          break
        }
        if (meanwhile) {
          await doors.fetch(meanwhile)
          meanwhile = null
        }
      }
      return [response.status, Object.fromEntries(response.headers), text]
    },
    XMLHttpRequest: ({ method, url, headers, body }) => new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest()
      xhr.open(method, base + url)
      xhr.responseType = "arraybuffer"
      for (const name in headers) xhr.setRequestHeader(name, headers[name])
      xhr.onload = () => {
        const lines = xhr.getAllResponseHeaders().split("\r\n").filter(Boolean)
        const read = Object.fromEntries(lines.map(line => line.split(/: ?(.*)/).slice(0, 2)))
        resolve(OF_THE_REAL_SERVER in read ? null : [xhr.status, read, toText(new Uint8Array(xhr.response))])
      }
      xhr.onerror = () => reject(new Error(`${method} ${url} is a network error`))
      xhr.send(toBytes(body))
    }),
  }
  const own = Backbone.ajax
  const answers = {}
  for (const [door, cases] of Object.entries(given)) {
    answers[door] = []
    for (const steps of cases) {
      await fauxServer.reset()
      for (const step of steps) answers[door].push(await doors[door](step))
    }
  }
  Backbone.ajax = own
  return answers
}
