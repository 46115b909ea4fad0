// The table that every combination of row F2 runs: what a page can see of the faux server.
// The numbers E01 to E23 are those of "How the original behaves at the edges"; O1 to O7 are the points of
// "What a page can observe of the original".
//
// A case is kept (the original does the same, and is run to prove that the case is right), mended (what the
// original does is written down beside it), ours (the original has no such thing), or Python (so, by routes.py).

(() => {
  "use strict"

  const SAME = {}
  const cases = []
  const kept = (name, run, expected) => cases.push({ name, run, expected, original: SAME, kind: "kept" })
  const mended = (name, run, expected, original) => cases.push({ name, run, expected, original, kind: "mended" })
  const ours = (name, run, expected) => cases.push({ name, run, expected, kind: "ours" })
  const inPython = (name, run, expected) => cases.push({ name, run, expected, kind: "python" })

  /** Any value as text: two are the same exactly if their texts are. Knows undefined, prototypes and order apart. */
  const show = (value, depth = 0) => {
    if (depth > 6) return "…"
    if (value === null) return "null"
    if (typeof value === "string") return JSON.stringify(value)
    if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value)
    if (typeof value === "function") return "function"
    if (typeof value !== "object") return String(value)
    if (value instanceof RegExp) return String(value)
    if (value instanceof Error) return `${value.name}: ${value.message}`
    const inner = item => show(item, depth + 1)
    if (Array.isArray(value)) {
      const items = Array.from(value, inner).join(", ")
      return Object.getPrototypeOf(value) === Array.prototype ? `[${items}]` : `odd [${items}]`
    }
    const pairs = Object.keys(value).sort().map(key => `${key}: ${inner(value[key])}`).join(", ")
    const prototype = Object.getPrototypeOf(value)
    return prototype === Object.prototype ? `{${pairs}}` : `${prototype && prototype.constructor ? prototype.constructor.name : "bare"} {${pairs}}`
  }

  const thrown = act => {
    try {
      act()
      return "nothing"
    } catch (error) {
      return error
    }
  }

  const kind = error => (error instanceof Error ? error.name : error)

  /** Call act with options that end it: ["success", …what came] or ["error", …]. */
  const outcome = act => new Promise((resolve, reject) => {
    try {
      act({
        success: (...values) => resolve(["success", ...values]),
        error: (...values) => resolve(["error", ...values])
      })
    } catch (error) {
      reject(error)
    }
  })

  /** One sync of a fresh model, straight. */
  const ask = (env, method, url, options = {}, attributes = { a: 1 }) =>
    outcome(ends => env.Backbone.sync(method, new env.Backbone.Model(attributes), { url, ...options, ...ends }))

  /** The context with which a route's handler is called. */
  const contextOf = async (env, method, options, attributes) => {
    let seen
    env.faux.addRoute("it", "it", "*", context => { seen = context })
    await ask(env, method, "it", options, attributes)
    return seen
  }

  /** Longer than anything is allowed to take here; only the original needs it, which may never answer. */
  const orPending = promise => Promise.race([promise, new Promise(resolve => env_setTimeout(() => resolve("pending"), 150))])
  const env_setTimeout = window.setTimeout.bind(window)

  const without = name => String(name).replace(/_\d+$/, "_#")

  const route = (found, handlers = {}) => found && [
    without(found.name),
    String(found.urlExp),
    found.httpMethod,
    Object.keys(handlers).find(key => handlers[key] === found.handler) || typeof found.handler
  ]

  /** How the one call of addRoute, get… is read. */
  const reading = (env, ...args) => {
    env.faux.removeRoutes()
    env.faux.addRoute(...args)
    return route(env.faux.getRouteAt(0), { h })
  }
  const h = () => "never called"

  const paramsOf = (env, exp, url, method = "GET") => {
    env.faux.removeRoutes()
    env.faux.addRoute("it", exp, "GET", h)
    const found = env.faux.getMatchingRoute(url, method)
    return found && found.handlerParams
  }

  const expOf = (env, exp) => {
    env.faux.addRoute("it", exp, "GET", h)
    return String(env.faux.getRoute("it").urlExp)
  }

  const older = (env, version) => {
    const parts = text => text.split(".").map(Number)
    const [a, b] = [parts(env.Backbone.VERSION), parts(version)]
    const differing = a.findIndex((part, i) => part !== b[i])
    return differing >= 0 && a[differing] < b[differing]
  }

  // ---- F1: the interface

  kept("F1 every word of the interface is there", env => (
    ["addRoute", "addRoutes", "removeRoute", "removeRoutes", "getRoute", "getRouteAt", "getMatchingRoute", "setDefaultHandler",
      "setLatency", "setTransportFactory", "enable", "getVersion", "get", "post", "put", "patch", "del", "noConflict"]
      .filter(word => typeof env.faux[word] !== "function")
  ), [])

  ours("F1 so is every word of ours", env => (
    ["load", "runPython", "install", "uninstall", "reset"].filter(word => typeof env.faux[word] !== "function")
      .concat(typeof env.faux.ready.then, env.faux.boot)
  ), ["function", "snapshot"])

  kept("F1 chaining: what changes the server returns it", env => [
    env.faux.addRoute("n", "u"), env.faux.addRoutes({}), env.faux.addRoutes([]), env.faux.addRoutes(), env.faux.get("u"), env.faux.post("u"),
    env.faux.put("u"), env.faux.patch("u"), env.faux.del("u"), env.faux.removeRoute("n"), env.faux.removeRoute("unknown"),
    env.faux.removeRoutes(), env.faux.setDefaultHandler(h), env.faux.setDefaultHandler(), env.faux.setLatency(1), env.faux.setLatency(),
    env.faux.setTransportFactory(h), env.faux.enable(false), env.faux.enable()
  ].map(value => value === env.faux), Array(19).fill(true))

  mended("F1 the version is our own", env => /^\d+\.\d+\.\d+/.test(env.faux.getVersion()) && env.faux.getVersion() !== "0.10.5", true, false)

  kept("F1 name, expression, method and handler", env => reading(env, "n", "u", "PUT", h), ["n", "/^u$/", "PUT", "h"])
  kept("F1 without a name", env => reading(env, "u", "PUT", h), ["PUT_/^u$/_#", "/^u$/", "PUT", "h"])
  kept("F1 without a method", env => reading(env, "n", "u", h), ["n", "/^u$/", "*", "h"])
  kept("F1 without a handler", env => reading(env, "n", "u", "PUT"), ["n", "/^u$/", "PUT", "function"])
  kept("F1 expression and handler", env => reading(env, "u", h), ["*_/^u$/_#", "/^u$/", "*", "h"])
  kept("F1 expression and method", env => reading(env, "u", "DELETE"), ["DELETE_/^u$/_#", "/^u$/", "DELETE", "function"])
  kept("F1 name and expression", env => reading(env, "n", "u"), ["n", "/^u$/", "*", "function"])
  kept("F1 expression alone", env => reading(env, "u"), ["*_/^u$/_#", "/^u$/", "*", "function"])
  kept("F1 any method, said", env => reading(env, "n", "u", "*", h), ["n", "/^u$/", "*", "h"])
  kept("F1 undefined at the end counts as left out", env => reading(env, "u", h, undefined, undefined), ["*_/^u$/_#", "/^u$/", "*", "h"])
  kept("F1 a RegExp as expression", env => reading(env, "n", /^u(\d)?$/i, "GET", h), ["n", "/^u(\\d)?$/i", "GET", "h"])

  for (const [word, method] of [["get", "GET"], ["post", "POST"], ["put", "PUT"], ["patch", "PATCH"], ["del", "DELETE"]]) {
    kept(`F1 ${word} with and without name and handler`, env => {
      env.faux[word]("n", "u", h)
      env.faux[word]("u", h)
      env.faux[word]("u")
      env.faux[word]("m", "u")
      return [0, 1, 2, 3].map(i => route(env.faux.getRouteAt(i), { h }))
    }, [
      ["n", "/^u$/", method, "h"],
      [`${method}_/^u$/_#`, "/^u$/", method, "h"],
      [`${method}_/^u$/_#`, "/^u$/", method, "function"],
      ["m", "/^u$/", method, "function"]
    ])
  }

  kept("F1 unnamed routes have names of their own", env => {
    env.faux.get("u", h).get("u", h)
    return env.faux.getRouteAt(0).name !== env.faux.getRouteAt(1).name
  }, true)

  kept("F1 addRoutes takes a hash, whose keys are the names", env => {
    env.faux.addRoutes({ one: { urlExp: "a", httpMethod: "GET", handler: h }, two: { name: "ignored", urlExp: "b", httpMethod: "*", handler: h } })
    return [0, 1, 2].map(i => route(env.faux.getRouteAt(i), { h }))
  }, [["one", "/^a$/", "GET", "h"], ["two", "/^b$/", "*", "h"], null])

  kept("F1 addRoutes takes an array", env => {
    env.faux.addRoutes([{ name: "one", urlExp: "a", httpMethod: "GET", handler: h }, { name: "two", urlExp: /b/, httpMethod: "PUT", handler: h }])
    return [0, 1, 2].map(i => route(env.faux.getRouteAt(i), { h }))
  }, [["one", "/^a$/", "GET", "h"], ["two", "/b/", "PUT", "h"], null])

  kept("F1 a route of the same name replaces the earlier one", env => {
    env.faux.get("n", "a", h).put("n", "b")
    return [route(env.faux.getRoute("n"), { h }), env.faux.getRouteAt(1)]
  }, [["n", "/^b$/", "PUT", "function"], null])

  kept("F1 removeRoute removes the named one", env => {
    env.faux.get("a", "a", h).get("b", "b", h).get("c", "c", h).removeRoute("b")
    return [0, 1, 2].map(i => route(env.faux.getRouteAt(i), { h })).concat([env.faux.getRoute("b")])
  }, [["a", "/^a$/", "GET", "h"], ["c", "/^c$/", "GET", "h"], null, null])

  kept("F1 removeRoutes leaves the default handler", async env => {
    env.faux.get("a", "a", h).setDefaultHandler(() => ({ by: "default" })).removeRoutes()
    return [env.faux.getRouteAt(0), await ask(env, "read", "a")]
  }, [null, ["success", { by: "default" }]])

  kept("F1 getRoute and getRouteAt give null for what is not there", env => {
    env.faux.get("a", "a", h)
    return [env.faux.getRoute("b"), env.faux.getRouteAt(1), env.faux.getRouteAt(-1), env.faux.getMatchingRoute("b", "GET"), env.faux.getMatchingRoute("a", "PUT")]
  }, [null, null, null, null, null])

  kept("F1 getMatchingRoute adds the captures", env => {
    env.faux.get("it", "books/:id/*rest", h)
    const found = env.faux.getMatchingRoute("books/7/a/b", "GET")
    return [route(found, { h }), Object.keys(found), found.handlerParams]
  }, [["it", "/^books\\/([^/]+)\\/(.*?)$/", "GET", "h"], ["name", "urlExp", "httpMethod", "handler", "handlerParams"], ["7", "a/b"]])

  kept("F1 a route has these properties, in this order", env => {
    env.faux.get("it", "u", h)
    return Object.keys(env.faux.getRoute("it"))
  }, ["name", "urlExp", "httpMethod", "handler"])

  kept("F1 a handler is called with the context and the captures, and nothing as this", async env => {
    const seen = []
    env.faux.get("it", "books/:id(/:part)", function (...args) {
      seen.push([this, args.length, args.slice(1), Object.keys(args[0])])
    })
    await ask(env, "read", "books/7")
    await ask(env, "read", "books/7/cover")
    return seen
  }, [
    [null, 3, ["7", undefined], ["data", "url", "httpMethod", "route"]],
    [null, 3, ["7", "cover"], ["data", "url", "httpMethod", "route"]]
  ])

  kept("F1 the context's route is the matched one with its captures", async env => {
    let seen
    env.faux.get("it", "books/:id", function its(context) { seen = context })
    await ask(env, "read", "books/7")
    return [seen.url, seen.httpMethod, seen.route.name, String(seen.route.urlExp), seen.route.httpMethod, seen.route.handler === env.faux.getRoute("it").handler, seen.route.handlerParams]
  }, ["books/7", "GET", "it", "/^books\\/([^/]+)$/", "GET", true, ["7"]])

  kept("F1 the default handler gets the context alone, and a route that is none", async env => {
    let seen
    const handler = (...args) => { seen = args }
    env.faux.setDefaultHandler(handler)
    await ask(env, "read", "books/7")
    return [seen.length, Object.keys(seen[0].route), seen[0].route.name, seen[0].route.urlExp, seen[0].route.handler === handler, seen[0].route.handlerParams]
  }, [1, ["name", "urlExp", "handler", "handlerParams"], "", "", true, []])

  kept("F1 a route goes before the default handler, and without one the network is next", async env => {
    env.faux.get("a", () => "never").setDefaultHandler(() => ({ by: "default" }))
    env.faux.get("a", () => ({ by: "route" }))
    const answers = [await ask(env, "read", "a"), await ask(env, "read", "b")]
    env.faux.setDefaultHandler()
    env.Backbone.sync("read", new env.Backbone.Model(), { url: "b" })
    return [answers, env.ajax.map(call => call.url)]
  }, [[["success", { by: "route" }], ["success", { by: "default" }]], ["b"]])

  kept("F1 models and collections live on it", async env => {
    const { Backbone } = env
    const stored = {}
    let last = 0
    env.faux
      .post("books", context => { stored[++last] = { ...context.data, id: last }; return { id: last } })
      .get("books", () => Object.values(stored))
      .get("books/:id", (context, id) => stored[id] || "404 Not found")
      .put("books/:id", (context, id) => { stored[id] = context.data })
      .patch("books/:id", (context, id) => { Object.assign(stored[id], context.data) })
      .del("books/:id", (context, id) => { delete stored[id] })
    const Book = Backbone.Model.extend({ urlRoot: "books" })
    const Books = Backbone.Collection.extend({ model: Book, url: "books" })
    const book = new Book({ title: "Franny" })
    const log = []
    log.push((await outcome(ends => book.save(null, ends)))[0], book.toJSON())
    log.push((await outcome(ends => book.save({ title: "Franny and Zooey" }, ends)))[0], { ...stored[1] })
    log.push((await outcome(ends => book.save({ year: 1961 }, { patch: true, ...ends })))[0], { ...stored[1] })
    const books = new Books()
    log.push((await outcome(ends => books.fetch(ends)))[0], books.toJSON())
    const other = new Book({ id: 2 })
    log.push((await outcome(ends => other.fetch(ends))).slice(0, 1))
    log.push((await outcome(ends => book.destroy(ends)))[0], Object.keys(stored))
    return log
  }, [
    "success", { title: "Franny", id: 1 },
    "success", { title: "Franny and Zooey", id: 1 },
    "success", { title: "Franny and Zooey", id: 1, year: 1961 },
    "success", [{ title: "Franny and Zooey", id: 1, year: 1961 }],
    ["error"],
    "success", []
  ])

  const FORMS = [
    [["n", "u", "*", h], ["n", "/^u$/", "*", "h"]],
    [["n", "u", "Patch", h], ["n", "/^u$/", "PATCH", "h"]],
    [["n", "u", "head", h], ["n", "/^u$/", "HEAD", "h"]],
    [["n", "u", "delete"], ["n", "/^u$/", "DELETE", "function"]],
    [["u", "*", h], ["*_/^u$/_#", "/^u$/", "*", "h"]],
    [["u", undefined], ["*_/^u$/_#", "/^u$/", "*", "function"]],
    [["n", "u", undefined, undefined], ["n", "/^u$/", "*", "function"]],
    [[null, "u", "GET", h], ["GET_/^u$/_#", "/^u$/", "GET", "h"]],
    [[undefined, "u", "GET", h], ["GET_/^u$/_#", "/^u$/", "GET", "h"]],
    [["", "u", "GET", h], ["GET_/^u$/_#", "/^u$/", "GET", "h"]],
    [[undefined, "u", "GET"], ["GET_/^u$/_#", "/^u$/", "GET", "function"]],
    [[undefined, "u"], ["*_/^u$/_#", "/^u$/", "*", "function"]],
    [[null, "u"], ["*_/^u$/_#", "/^u$/", "*", "function"]],
    [[/^v(\d+)$/i, "GET", h], ["GET_/^v(\\d+)$/i_#", "/^v(\\d+)$/i", "GET", "h"]],
    [[/v/], ["*_/v/_#", "/v/", "*", "function"]],
    [[/v/, h], ["*_/v/_#", "/v/", "*", "h"]],
    [[/v/, "PUT"], ["PUT_/v/_#", "/v/", "PUT", "function"]],
    [["n", /v/], ["n", "/v/", "*", "function"]],
    [["n", /v/, h], ["n", "/v/", "*", "h"]],
    [["n", /v/, "PUT"], ["n", "/v/", "PUT", "function"]],
    [["GET", "u", h], ["GET", "/^u$/", "*", "h"]],
    [["GET", "u"], ["GET", "/^u$/", "*", "function"]],
    [["*", "u", h], ["*", "/^u$/", "*", "h"]],
    [["é 😀", "u", "GET", h], ["é 😀", "/^u$/", "GET", "h"]]
  ]
  kept("F1 addRoute's other forms", env => FORMS.map(([args]) => reading(env, ...args)), FORMS.map(([, expected]) => expected))
  kept("F1 get reads a RegExp, and what is undefined, as addRoute does", env => [
    [/u/, h], ["n", /u/], ["n", /u/, h], ["u", undefined], ["n", "u", undefined]
  ].map(args => route(env.faux.removeRoutes().get(...args).getRouteAt(0), { h })), [
    ["GET_/u/_#", "/u/", "GET", "h"], ["n", "/u/", "GET", "function"], ["n", "/u/", "GET", "h"], ["GET_/^u$/_#", "/^u$/", "GET", "function"], ["n", "/^u$/", "GET", "function"]
  ])
  kept("F1 names may be those of what every object has", env => {
    const names = ["constructor", "__proto__", "toString"]
    const absent = names.map(name => env.faux.getRoute(name))
    for (const name of names) env.faux.get(name, `at/${name}`, h)
    return [absent, names.map(name => String(env.faux.getRoute(name).urlExp)), env.faux.removeRoute("__proto__").getRoute("__proto__")]
  }, [[null, null, null], ["/^at\\/constructor$/", "/^at\\/__proto__$/", "/^at\\/toString$/"], null])
  kept("F1 there is no route at what is no index", env => {
    env.faux.get("n", "u", h)
    return [undefined, null, "", NaN, 0.5, "x", "0"].map(index => env.faux.getRouteAt(index)).map(found => found && found.name)
  }, [null, null, null, null, null, null, "n"])
  kept("F1 nor one of no name, and nothing is removed by none", env => {
    env.faux.get("u", h).removeRoute().removeRoute(null).removeRoute("")
    return [env.faux.getRoute(), env.faux.getRoute(null), env.faux.getRoute(""), env.faux.getRouteAt(0) !== null]
  }, [null, null, null, true])
  kept("F1 whoever is asked is what is returned", env => {
    const heir = Object.create(env.faux)
    return [heir.addRoute("n", "u"), heir.get("u"), heir.addRoutes({}), heir.setLatency(0), heir.enable(), heir.removeRoutes()].map(value => value === heir)
  }, Array(6).fill(true))
  kept("F1 addRoutes adds, in order, and leaves what it is given alone", env => {
    const given = { b: { urlExp: "u", httpMethod: "get", handler: h }, a: { urlExp: "v", httpMethod: "*" } }
    env.faux.get("z", "z", h).addRoutes(given).addRoutes(given)
    return [[0, 1, 2, 3].map(i => env.faux.getRouteAt(i)).map(found => found && found.name), given]
  }, [["z", "b", "a", null], { b: { urlExp: "u", httpMethod: "get", handler: h }, a: { urlExp: "v", httpMethod: "*" } }])
  kept("F1 any function is a handler", env => [h.bind({}), () => {}, async () => {}, function* () {}, env.Backbone.Model, Math.max].map(handler =>
    env.faux.addRoute("n", "u", "GET", handler).getRoute("n").handler === handler
  ), Array(6).fill(true))
  kept("F1 a name that was made up can be replaced and removed", env => {
    const { name } = env.faux.get("u", h).getRouteAt(0)
    env.faux.put(name, "v", h)
    return [env.faux.getRouteAt(0).name === name, env.faux.getRouteAt(0).httpMethod, env.faux.getRouteAt(1), env.faux.removeRoute(name).getRouteAt(0)]
  }, [true, "PUT", null, null])
  kept("F1 each method has its route, and * has them all", async env => {
    const methods = ["create", "read", "update", "delete", "patch"]
    for (const word of ["get", "post", "put", "patch", "del"]) env.faux[word]("own", () => ({ by: word }))
    env.faux.addRoute("any", context => ({ by: context.httpMethod }))
    const answers = []
    for (const url of ["own", "any"]) for (const method of methods) answers.push((await ask(env, method, url))[1].by)
    return answers
  }, ["post", "get", "put", "del", "patch", "POST", "GET", "PUT", "DELETE", "PATCH"])
  kept("F1 a handler counts as many arguments as there are captures, and the context", async env => {
    const counts = []
    const counting = function () { counts.push(arguments.length) }
    env.faux.get("a", counting).get(/^b$/, counting).get("c/:id", counting).get(/^d(x)?(y)?$/, counting)
    for (const url of ["a", "b", "c/1", "d"]) await ask(env, "read", url)
    return counts
  }, [1, 1, 2, 3])
  kept("F1 hundreds of requests at once", async env => {
    env.faux.get("it/:id", (context, id) => ({ id }))
    const ended = await Promise.all(Array.from({ length: 300 }, (_, i) => ask(env, "read", `it/${i}`)))
    return ended.every(([how, value], i) => how === "success" && value.id === String(i))
  }, true)
  kept("F1 hundreds of routes that come and go", env => {
    for (let i = 0; i < 120; i += 1) env.faux.get(`r${i}`, i % 3 ? `p${i}/:id` : new RegExp(`^p${i}/(.)$`), h)
    for (let i = 0; i < 120; i += 2) env.faux.removeRoute(`r${i}`)
    for (let i = 0; i < 150; i += 1) env.faux.get("same", `s${i}`, h)
    const matching = url => (env.faux.getMatchingRoute(url, "GET") || {}).name
    return [[0, 1, 59, 60].map(i => env.faux.getRouteAt(i).name), env.faux.getRouteAt(61), ["p2/1", "p3/1", "p6/1", "p7/1", "s148", "s149"].map(matching)]
  }, [["r1", "r3", "r119", "same"], null, [undefined, "r3", undefined, "r7", undefined, "same"]])

  // ---- The steps of sync

  kept("sync puts emulateHTTP and emulateJSON onto the caller's options", env => {
    env.faux.get("a", h)
    const options = { url: "a" }
    env.Backbone.sync("read", new env.Backbone.Model(), options)
    return [options.emulateHTTP, options.emulateJSON, options.url]
  }, env => [env.Backbone.emulateHTTP, env.Backbone.emulateJSON, "a"])

  kept("sync takes the url from the options, else from the model, value or function", async env => {
    const seen = []
    env.faux.addRoute(/^u\d$/, "GET", context => { seen.push(context.url) })
    const { Model } = env.Backbone
    await ask(env, "read", "u1")
    await outcome(ends => env.Backbone.sync("read", new (Model.extend({ url: "u2" }))(), ends))
    await outcome(ends => env.Backbone.sync("read", new (Model.extend({ url() { return this.get("at") } }))({ at: "u3" }), ends))
    await outcome(ends => env.Backbone.sync("read", new (Model.extend({ url: "u2" }))(), { url: "u4", ...ends }))
    return seen
  }, ["u1", "u2", "u3", "u4"])

  kept("sync happens in this order", async env => {
    const log = []
    const model = new env.Backbone.Model()
    model.on("request", () => log.push("request"))
    env.faux.setTransportFactory(options => {
      log.push("transport")
      return { promise: () => { log.push("promise"); return "the promise" }, resolve: value => { log.push("resolve"); options.success(value) }, reject: h }
    })
    env.faux.setLatency(() => { log.push("latency"); return 0 })
    env.faux.get("a", () => { log.push("handler") })
    const ended = outcome(ends => { log.push(env.Backbone.sync("read", model, { url: "a", ...ends })) })
    log.push("returned")
    await ended
    return log
  }, ["transport", "promise", "request", "latency", "the promise", "returned", "handler", "resolve"])

  kept("sync triggers request with the model, the promise and the options, and returns the promise", env => {
    env.faux.setTransportFactory(() => ({ promise: () => promise, resolve: h, reject: h }))
    env.faux.get("a", h)
    const [promise, model, options] = [{}, new env.Backbone.Model(), { url: "a" }]
    let seen
    model.on("request", (...args) => { seen = args })
    const returned = env.Backbone.sync("read", model, options)
    return [seen[0] === model, seen[1] === promise, seen[2] === options, returned === promise]
  }, [true, true, true, true])

  kept("sync throws what is thrown on the way, and then runs nothing", async env => {
    let ran = 0
    const broken = word => { throw new RangeError(word) }
    const [trips, cannot] = [new env.Backbone.Model(), new env.Backbone.Model()]
    trips.on("request", () => broken("request"))
    cannot.toJSON = () => broken("toJSON")
    env.faux.addRoute("it", () => { ran += 1 })
    const sync = (model = new env.Backbone.Model()) => thrown(() => env.Backbone.sync("create", model, { url: "it" }))
    const errors = [sync(trips), sync(cannot)]
    env.faux.setLatency(() => broken("latency"))
    errors.push(sync())
    env.faux.setLatency().setTransportFactory(() => broken("transport"))
    errors.push(sync())
    env.faux.setTransportFactory(() => ({ promise: () => broken("promise") }))
    errors.push(sync())
    await new Promise(resolve => env_setTimeout(resolve, 20))
    return [errors.map(error => error.message), ran]
  }, [["request", "toJSON", "latency", "transport", "promise"], 0])
  kept("sync gives transport, latency and handler one context", async env => {
    const contexts = []
    env.faux.setTransportFactory((options, context) => { contexts.push(context); return { promise: h, resolve: options.success, reject: h } })
    env.faux.setLatency(context => { contexts.push(context); return 0 }).get("it", context => { contexts.push(context) })
    await ask(env, "read", "it")
    await ask(env, "read", "it")
    return contexts.map(context => context === contexts[0])
  }, [true, true, true, false, false, false])
  kept("sync does without options and callbacks", async env => {
    const seen = []
    env.faux.addRoute("it", context => { seen.push(context.httpMethod); return context.httpMethod === "PUT" ? "no" : {} })
    const model = new (env.Backbone.Model.extend({ url: "it" }))()
    env.Backbone.sync("read", model)
    env.Backbone.sync("update", model, null)
    env.Backbone.sync("delete", model, { success: null, error: undefined })
    model.sync("create", model)
    await ask(env, "read", "it")
    return seen
  }, ["GET", "PUT", "DELETE", "POST", "GET"])
  kept("sync calls back whom it was given", async env => {
    const log = []
    env.faux.get("it", () => ({ b: 2 }))
    const options = { url: "it", success: () => log.push("first") }
    env.Backbone.sync("read", new env.Backbone.Model(), options)
    options.success = () => log.push("second")
    await ask(env, "read", "it")
    return log
  }, ["first"])
  kept("sync with a method that nobody knows finds * routes", async env => {
    let seen
    env.faux.get("it", h).addRoute("it", context => { seen = [context.httpMethod, context.data] })
    await ask(env, "bogus", "it")
    return seen
  }, [undefined, undefined])
  kept("sync sets neither xhr nor callbacks on the options", env => {
    env.faux.get("it", h)
    const options = { url: "it" }
    env.Backbone.sync("read", new env.Backbone.Model(), options)
    return ["xhr", "success", "error"].filter(word => word in options)
  }, [])

  // ---- E01 to E06: url expressions

  mended("E01 a parameter's name may have one letter", env => [expOf(env, "books/:x"), paramsOf(env, "books/:x", "books/7")],
    ["/^books\\/([^/]+)$/", ["7"]], ["/^books\\/:x$/", null])
  kept("E01 a parameter's name begins with a letter or an underscore", env => [":id", ":a1", ":__", ":5d"].map(exp => expOf(env, `books/${exp}`)),
    ["/^books\\/([^/]+)$/", "/^books\\/([^/]+)$/", "/^books\\/([^/]+)$/", "/^books\\/:5d$/"])
  mended("E01 a parameter's name may hold any letters", env => [paramsOf(env, "books/:idé", "books/7"), paramsOf(env, "books/:ünicode", "books/7")],
    [["7"], ["7"]], [null, null])

  kept("E02 an asterisk alone is no splat", env => [
    expOf(env, "books/*"), paramsOf(env, "books/*", "books"), paramsOf(env, "books/*", "books///"), paramsOf(env, "books/*", "books/1")
  ], ["/^books\\/*$/", [], [], null])
  kept("E02 an asterisk as second of two is the method", env => reading(env, "r", "*"), ["*_/^r$/_#", "/^r$/", "*", "function"])

  kept("E03 optional parts", env => [
    expOf(env, "books(/:id)"), paramsOf(env, "books(/:id)", "books"), paramsOf(env, "books(/:id)", "books/7"), paramsOf(env, "books(/)", "books/"),
    paramsOf(env, "a(b)(c)", "ac"), paramsOf(env, "a(b)(c)", "acb")
  ], ["/^books(?:\\/([^/]+))?$/", [undefined], ["7"], [], [], null])
  kept("E03 nested optional parts match where all of them are there", env => paramsOf(env, "a(b(c))", "abc") !== null, true)
  kept("E03 unbalanced parentheses are a SyntaxError", env => ["a(b", "a)b", "a((b)"].map(exp => kind(thrown(() => env.faux.get(exp, h)))),
    ["SyntaxError", "SyntaxError", "SyntaxError"])
  kept("E03 and leave the routes alone", env => {
    env.faux.get("n", "u", h)
    thrown(() => env.faux.get("n", "a(b", h))
    return [route(env.faux.getRoute("n"), { h }), env.faux.getRouteAt(1)]
  }, [["n", "/^u$/", "GET", "h"], null])

  kept("E04 splats", env => [
    paramsOf(env, "books/*rest", "books/"), paramsOf(env, "books/*rest", "books/a/b"), paramsOf(env, "*aa/*bb", "x/y/z"), paramsOf(env, "*aa*bb", "xyz"),
    paramsOf(env, "files/*path.*ext", "files/a/b.c.d"), paramsOf(env, "*x", "")
  ], [[""], ["a/b"], ["x", "y/z"], ["", "xyz"], ["a/b", "c.d"], [""]])
  kept("E04 what means something to a RegExp is taken as it stands", env => [".", "+", "|", "^", "$", "{2}", "[a]", ",", "-", " ", "\\"].map(sign => [
    paramsOf(env, `a${sign}b`, `a${sign}b`), paramsOf(env, `a${sign}b`, "aab")
  ]), Array(11).fill([[], null]))
  kept("E04 a colon and a slash as well", env => [expOf(env, "a:/b"), expOf(env, "/a//b")], ["/^a:\\/b$/", "/^\\/a\\/\\/b$/"])
  kept("E04 whole addresses", env => paramsOf(env, "http://host:80/books/:id", "http://host:80/books/7"), ["7"])

  kept("E05 captures are not decoded", env => paramsOf(env, "books/:id", "books/a%20b"), ["a%20b"])
  kept("E05 the match is exact", env => ["Books/7", "/books/7", "books/7/", "xbooks/7", "books/", "books"].map(url => paramsOf(env, "books/:id", url)), Array(6).fill(null))
  kept("E05 lines end nothing", env => [
    paramsOf(env, "books", "books\n"), paramsOf(env, "books/*rest", "books/a\nb"), paramsOf(env, "books/:id", "books/a\nb"), paramsOf(env, "books/*rest", "books/a\u2028b")
  ], [null, null, ["a\nb"], null])
  mended("E05 the query takes no part in the match", env => [
    paramsOf(env, "books/:id", "books/1?x=2"), paramsOf(env, "books", "books?x=1"), paramsOf(env, "books", "books#top"), paramsOf(env, "books/:id", "books/1?x=2#y")
  ], [["1"], [], [], ["1"]], [["1?x=2"], null, null, ["1?x=2#y"]])
  kept("E05 unless the expression has one", env => [paramsOf(env, "books?x=:xx", "books?x=1"), paramsOf(env, "books?x=:xx", "books")], [["1"], null])
  kept("E05 or is a RegExp", env => [paramsOf(env, /^books\?(.*)$/, "books?x=1"), paramsOf(env, /^books$/, "books?x=1")], [["x=1"], null])
  ours("E05 the parsed query is on the context", async env => {
    let seen
    env.faux.get("books", context => { seen = [context.query, context.url] })
    await ask(env, "read", "books?x=1&y=a%20b&z=1&z=2")
    return seen
  }, [{ x: "1", y: "a b", z: ["1", "2"] }, "books?x=1&y=a%20b&z=1&z=2"])

  kept("E06 RegExps are not anchored", env => paramsOf(env, /ook(s)/, "xbooksx"), ["s"])
  kept("E06 a group that took no part is undefined", env => paramsOf(env, /^books\/(\d)?(x)?$/, "books/x"), [undefined, "x"])
  mended("E06 the flags g and y change nothing", env => [/^books\/(\d)$/g, /^books\/(\d)$/y].map(exp => {
    try {
      return [paramsOf(env, exp, "books/1"), paramsOf(env, exp, "books/2")]
    } catch (error) {
      return error.name
    }
  }), [[["1"], ["2"]], [["1"], ["2"]]], ["TypeError", "TypeError"])
  mended("E06 also when a request matches", async env => {
    const saw = []
    env.faux.addRoute("it", /^books\/(\d)$/g, "GET", (context, digit) => { saw.push(digit) })
    try {
      await ask(env, "read", "books/1")
      await ask(env, "read", "books/2")
    } catch (error) {
      return error.name
    }
    return saw
  }, ["1", "2"], "TypeError")

  const SOURCES = {
    ":aa-:bb": "/^([^/]+)\\-([^/]+)$/", ":aa.:bb": "/^([^/]+)\\.([^/]+)$/", ":aa:bb": "/^([^/]+)([^/]+)$/", "a::id": "/^a:([^/]+)$/", "a:80/:id": "/^a:80\\/([^/]+)$/", "a/:": "/^a\\/:$/", ":": "/^:$/",
    "*rest": "/^(.*?)$/", "*5": "/^(.*?)$/", "a*rest/b": "/^a(.*?)\\/b$/", "*aa*bb": "/^(.*?)(.*?)$/", "ab*": "/^ab*$/", "a*/b": "/^a*\\/b$/",
    "(a/)b": "/^(?:a\\/)?b$/", "(ab)": "/^(?:ab)?$/", "(:id)": "/^(?:([^/]+))?$/", "(*rest)": "/^(?:(.*?))?$/", "a()": "/^a(?:)?$/", "(name:id)": "/^(?:name([^/]+))?$/", "(a:id)": "/^(?:a([^/]+))?$/",
    "docs/:section(/:sub)(/:subsub)": "/^docs\\/([^/]+)(?:\\/([^/]+))?(?:\\/([^/]+))?$/", "(http://)a(:8080)/:id": "/^(?:http:\\/\\/)?a(?::8080)?\\/([^/]+)$/",
    "a.b+c?d|e^f$g#h": "/^a\\.b\\+c\\?d\\|e\\^f\\$g\\#h$/", "a{2}[b],c-d e": "/^a\\{2\\}\\[b\\]\\,c\\-d\\ e$/", "a\\b": "/^a\\\\b$/", "a\tb": "/^a\\\tb$/", "books/{id}": "/^books\\/\\{id\\}$/",
    "a=b&c;d!e~f'g\"h@i_j%20<k>": "/^a=b&c;d!e~f'g\"h@i_j%20<k>$/", "é/ü/😀": "/^é\\/ü\\/😀$/", "/": "/^\\/$/", "//": "/^\\/\\/$/", "a?b=:cc": "/^a\\?b=([^/]+)$/", "a(?b=:cc)": "/^a(?:\\?b=([^/]+))?$/", "$&$1": "/^\\$&\\$1$/"
  }
  kept("E04 expressions as RegExps, to the letter", env => Object.keys(SOURCES).map(exp => [exp, expOf(env, exp)]), Object.entries(SOURCES))
  kept("E04 these RegExps have no flags", env => {
    const { flags, source, lastIndex } = env.faux.get("it", "a/:id", h).getRoute("it").urlExp
    return [flags, source, lastIndex]
  }, ["", "^a\\/([^/]+)$", 0])

  const MATCHES = [
    ["1/2/:p1/:p2/*pp", "1/2/a/b/3/4", ["a", "b", "3/4"]], ["1/2/*p1/:p2", "1/2/a/b/3", ["a/b", "3"]], ["1/2/*pp/3/4", "1/2/a/b/3/4", ["a/b"]], ["book-:title/page-:number", "book-do it/page-303", ["do it", "303"]],
    ["book::title/page::number", "book:do it/page:303", ["do it", "303"]], ["docs/:section(/:sub)(/:subsub)", "docs/faq", ["faq", undefined, undefined]], ["docs/:section(/:sub)(/:subsub)", "docs/faq/a", ["faq", "a", undefined]], ["docs/:section(/:sub)(/:subsub)", "docs/faq/a/b", ["faq", "a", "b"]],
    ["docs/(maybe/):id", "docs/1", ["1"]], ["docs/(maybe/):id", "docs/maybe/1", ["1"]], ["#/##/(something/)else", "#/##/else", []], ["#/##/(###:something/)else", "#/##/###any/else", ["any"]], ["a.com:80", "a.com:81", null], ["a.com(:80)", "a.com:81", null],
    ["(http://)a.com(:80)/:id", "a.com/1", ["1"]], ["(http://)a.com(:80)/:id", "http://a.com:80/1", ["1"]], ["a/:5d", "a/1", null], ["a:s3ction", "abc", ["bc"]], ["books/:id", "books//", null], ["books/*rest", "books", null], ["ab*", "abbb", []], ["ab*", "a", []],
    ["books/*rest", "books/a\rb", null], ["books/*rest", "books/a\u2029b", null], ["books/*rest", "books/a\u0085b", ["a\u0085b"]], ["books/*rest", "books/a\u000bb", ["a\u000bb"]], ["books/:id", "books/a\n", ["a\n"]], ["books/:id", "books/😀", ["😀"]],
    [":aa:bb", "xyz", ["xy", "z"]], [":aa:bb", "x", null], ["é", "e\u0301", null], ["(a)", "", []], ["(:id)", "", [undefined]], ["(*rest)", "", [undefined]], ["a(*rest)b", "ab", [undefined]], ["a(*rest)b", "axb", ["x"]], ["a(?b=:cc)", "a", [undefined]], ["a(?b=:cc)", "a?b=1", ["1"]],
    ["a{2}", "aa", null], ["a\\d", "a1", null], ["books/{id}", "books/{id}", []], [/^b$/i, "B", []], [/^b$/m, "a\nb", []], [/a.b/s, "a\nb", []], [/^(.)$/u, "😀", ["😀"]], [/^(.)$/, "😀", null], [/^(?<year>\d+)$/, "1961", ["1961"]], [/(a)|(b)/, "b", [undefined, "b"]],
    [/()/, "x", [""]], [/^\w$/, "é", null], [/^\d$/, "٣", null], [/^\s$/, "\u00a0", []], [/x$/, "x\n", null], [/^books#(.*)$/, "books#x", ["x"]]
  ]
  kept("E05 what urls match, and what is captured", env => MATCHES.map(([exp, url]) => [String(exp), url, paramsOf(env, exp, url)]), MATCHES.map(([exp, url, params]) => [String(exp), url, params]))
  kept("E05 a handler gets the same captures", async env => {
    const seen = []
    for (const [exp, url, params] of MATCHES) {
      if (!params || !url) continue
      env.faux.removeRoutes().get("it", exp, (context, ...captures) => { seen.push([captures, context.route.handlerParams]) })
      await ask(env, "read", url)
    }
    return seen
  }, MATCHES.filter(([, url, params]) => params && url).map(([, , params]) => [params, params]))
  kept("E03 all that no RegExp can be made of is a SyntaxError", env => {
    env.faux.get("n", "u", h)
    const errors = ["(", ")", ")(", "a((b)", "*", "**aa", "(a)*", "a**"].map(exp => kind(thrown(() => env.faux.addRoutes({ n: { urlExp: exp, httpMethod: "GET", handler: h } }))))
    return [errors, String(env.faux.getRoute("n").urlExp)]
  }, [Array(8).fill("SyntaxError"), "/^u$/"])
  ours("E01 names in any script, wherever they stand", env => [["b/:é", "b/1"], ["b/:日本", "b/1"], ["b/:idé/c", "b/1/c"], ["b/:_", "b/1"], ["a(/:x)(/:y)", "a/1"], ["b/:Ω1-:β", "b/1-2"], ["*é", "a/b"]].map(([exp, url]) => paramsOf(env, exp, url)),
    [["1"], ["1"], ["1"], ["1"], ["1", undefined], ["1", "2"], ["a/b"]])
  ours("E05 queries and fragments of every kind", env => [
    ["books", "books?"], ["books", "books#"], ["books", "books#a?x"], ["books/:id", "books/1?x=a/b"], ["books/:id", "books/?x=1"], ["books/*rest", "books/a/b?c=/d"], ["books(/:id)", "books?x"], ["books/:id", "books/a%3Fb"],
    ["books", "book?s"], ["books/:id", "books/1?a=\nb"], ["a?b=:cc", "a?b=1&c=2"], ["http://h/b/:id", "http://h/b/1?x=2"], [/^b\/(\d+)/, "b/12?x"]
  ].map(([exp, url]) => paramsOf(env, exp, url)), [[], [], [], ["1"], null, ["a/b"], [undefined], ["a%3Fb"], null, ["1"], ["1&c=2"], ["1"], ["12"]])
  ours("E05 a query on the context is no property that one sees", async env => {
    const seen = []
    env.faux.get("it", context => { seen.push(Object.keys(context), context.query) })
    await ask(env, "read", "it?q=a%20b+c&e=&n#frag?no=1")
    await ask(env, "read", "it")
    return seen
  }, [["data", "url", "httpMethod", "route"], { q: "a b c", e: "", n: "" }, ["data", "url", "httpMethod", "route"], {}])
  kept("E06 the page's RegExp is given back as it is", env => [/b(\d)/, /b/g, /b/y].map(exp => {
    env.faux.get("it", exp, h)
    return env.faux.getRoute("it").urlExp === exp && env.faux.getRouteAt(0).urlExp === exp && exp.lastIndex
  }), [0, 0, 0])
  ours("E06 and matching moves nothing in it", env => {
    const exp = /b/g
    exp.lastIndex = 1
    return [paramsOf(env, exp, "b"), paramsOf(env, exp, "b"), exp.lastIndex, paramsOf(env, /b(\d)/y, "ab1")]
  }, [[], [], 1, ["1"]])

  // ---- E07 to E12: routing and arguments

  mended("E07 several matching * routes: the latest wins", async env => {
    env.faux.addRoute("first", "a", "*", () => ({ by: "first" })).addRoute("second", "a", "*", () => ({ by: "second" }))
    return [env.faux.getMatchingRoute("a", "GET").name, (await ask(env, "read", "a"))[1]]
  }, ["second", { by: "second" }], ["first", { by: "first" }])
  kept("E07 of exact ones the latest", env => {
    env.faux.get("first", "books/:id", h).get("second", "books/*rest", h)
    return env.faux.getMatchingRoute("books/7", "GET").name
  }, "second")
  kept("E07 an exact one goes before a later * one", env => {
    env.faux.get("exact", "a", h).addRoute("any", "a", "*", h)
    return ["GET", "PUT"].map(method => env.faux.getMatchingRoute("a", method).name)
  }, ["exact", "any"])
  kept("E07 asking for * finds the latest * one", env => {
    env.faux.addRoute("first", "a", "*", h).addRoute("second", "a", "*", h).get("third", "a", h)
    return env.faux.getMatchingRoute("a", "*").name
  }, "second")
  kept("E07 asking for no method finds * ones alone", env => {
    env.faux.get("exact", "a", h)
    const before = env.faux.getMatchingRoute("a")
    env.faux.addRoute("any", "a", "*", h)
    return [before, env.faux.getMatchingRoute("a").name]
  }, [null, "any"])

  kept("E08 a name added again keeps its place", async env => {
    env.faux.get("first", "books/1", () => ({ by: "old first" })).get("second", "books/:id", () => ({ by: "second" })).get("first", "books/1", () => ({ by: "new first" }))
    env.faux.get("third", "other", h)
    return [env.faux.getMatchingRoute("books/1", "GET").name, [0, 1, 2].map(i => env.faux.getRouteAt(i).name), (await ask(env, "read", "books/1"))[1]]
  }, ["second", ["first", "second", "third"], { by: "second" }])

  mended("E09 verbs in any case", env => [reading(env, "u", "get", h), reading(env, "u", "Delete")],
    [["GET_/^u$/_#", "/^u$/", "GET", "h"], ["DELETE_/^u$/_#", "/^u$/", "DELETE", "function"]],
    [["u", "/^get$/", "*", "h"], ["u", "/^Delete$/", "*", "function"]])
  kept("E09 in the place of the method anything is one", env => [reading(env, "n", "u", "get", h), reading(env, "n", "u", "BOGUS", h)],
    [["n", "/^u$/", "GET", "h"], ["n", "/^u$/", "BOGUS", "h"]])
  kept("E09 a verb as second of two is the method", env => reading(env, "n", "GET"), ["GET_/^n$/_#", "/^n$/", "GET", "function"])
  kept("E09 get's arguments are name, expression, handler", env => {
    env.faux.get("u", "POST", h)
    return route(env.faux.getRouteAt(0), { h })
  }, ["u", "/^POST$/", "GET", "h"])

  const tryAll = acts => acts.map(act => {
    try {
      return act()
    } catch (error) {
      return error.name
    }
  })
  mended("E10 a route needs an expression alone", env => tryAll([
    () => route(env.faux.addRoutes({ n: { urlExp: "u", handler: h } }).getRoute("n"), { h }),
    () => route(env.faux.addRoutes([{ urlExp: "v", handler: h }]).getRouteAt(1), { h }),
    () => route(env.faux.addRoute("m", "u", undefined, h).getRoute("m"), { h })
  ]), [["n", "/^u$/", "*", "h"], ["*_/^v$/_#", "/^v$/", "*", "h"], ["m", "/^u$/", "*", "h"]], ["TypeError", "TypeError", "TypeError"])
  kept("E10 and nothing else", env => route(env.faux.addRoutes({ n: { urlExp: "u" } }).getRoute("n")), ["n", "/^u$/", "*", "function"])

  kept("E11 without an expression they throw", env => [
    () => env.faux.addRoute(), () => env.faux.addRoute(undefined), () => env.faux.get(), () => env.faux.post(), () => env.faux.put(), () => env.faux.patch(), () => env.faux.del()
  ].map(act => thrown(act)), ["addRoute", "addRoute", "get", "post", "put", "patch", "del"].map(word => new Error(`${word}: Missing mandatory 'urlExp' argument`)))
  kept("E11 null is kept as a handler", env => env.faux.addRoute("n", "u", "GET", null).getRoute("n").handler, null)

  kept("E12 the empty expression matches the empty url", env => [expOf(env, ""), paramsOf(env, "", ""), paramsOf(env, "", "a")], ["/^$/", [], null])
  kept("E12 a method taken off the server works and returns undefined", env => {
    const { addRoute, get, removeRoute, setLatency, enable } = env.faux
    const returned = [addRoute("n", "u", "GET", h), get("m", "u", h), removeRoute("m"), setLatency(0), enable(true)]
    return [returned, route(env.faux.getRoute("n"), { h }), env.faux.getRoute("m")]
  }, [[undefined, undefined, undefined, undefined, undefined], ["n", "/^u$/", "GET", "h"], null])

  kept("E08 a name that was removed comes last", env => {
    env.faux.get("first", "it", h).get("second", "it", h).removeRoute("first").get("first", "it", h)
    return [env.faux.getMatchingRoute("it", "GET").name, [0, 1, 2].map(i => env.faux.getRouteAt(i)).map(found => found && found.name)]
  }, ["first", ["second", "first", null]])
  kept("E08 a replaced RegExp matches no more", env => {
    env.faux.get("n", /^it$/, h).get("n", "other", h)
    return [env.faux.getMatchingRoute("it", "GET"), env.faux.get("n", /^it$/, h).getMatchingRoute("it", "GET").name, env.faux.getMatchingRoute("other", "GET")]
  }, [null, "n", null])
  kept("E07 strings and RegExps are of one order", env => {
    env.faux.get("splat", "*all", h).get("param", "a/:id", h).get("regexp", /^a\/1$/, h).get("optional", "a(/:id)", h)
    const names = []
    for (let i = 0; i < 4; i += 1) {
      names.push(env.faux.getMatchingRoute("a/1", "GET").name)
      env.faux.removeRoute(names[i])
    }
    return names
  }, ["optional", "regexp", "param", "splat"])
  ours("E09 verbs in any case everywhere", env => [
    reading(env, "u", "pAtch"), env.faux.getMatchingRoute("u", "patch").httpMethod,
    env.faux.removeRoutes().addRoutes([{ urlExp: "u", httpMethod: "put" }]).getRouteAt(0).httpMethod
  ], [["PATCH_/^u$/_#", "/^u$/", "PATCH", "function"], "PATCH", "PUT"])
  ours("E10 no method is any method", env => [undefined, null, ""].map(method => env.faux.addRoute("n", "u", method, h).getRoute("n").httpMethod), ["*", "*", "*"])
  kept("E11 what is no expression throws", env => [
    () => env.faux.addRoute(null), () => env.faux.addRoute({}), () => env.faux.get(undefined), () => env.faux.addRoutes([{}])
  ].map(act => thrown(act) instanceof Error).concat(env.faux.getRouteAt(0) === null), Array(5).fill(true))

  // ---- E13 to E16: data

  kept("E13 options.data goes before the model's, for every method", async env => {
    const seen = []
    for (const method of ["create", "read", "update", "delete", "patch"]) seen.push((await contextOf(env, method, { data: { b: 2 }, attrs: { c: 3 } })).data)
    return seen
  }, Array(5).fill({ b: 2 }))
  kept("E13 it is the very object", async env => {
    const data = { b: 2 }
    return (await contextOf(env, "read", { data })).data === data
  }, true)
  kept("E13 an empty one is ignored", async env => [
    (await contextOf(env, "create", { data: "" })).data, (await contextOf(env, "create", { data: 0 })).data, (await contextOf(env, "read", { data: "" })).data
  ], [{ a: 1 }, { a: 1 }, undefined])
  kept("E13 GET and DELETE have none", async env => {
    const contexts = [await contextOf(env, "read"), await contextOf(env, "delete")]
    return contexts.map(context => ["data" in context, context.data])
  }, [[true, undefined], [true, undefined]])

  kept("E14 PATCH sends options.attrs, else the model", async env => [
    (await contextOf(env, "patch", { attrs: { b: 2 } })).data, (await contextOf(env, "patch", { attrs: {} })).data, (await contextOf(env, "patch")).data
  ], [{ b: 2 }, {}, { a: 1 }])
  kept("E14 POST and PUT ignore options.attrs", async env => [
    (await contextOf(env, "create", { attrs: { b: 2 } })).data, (await contextOf(env, "update", { attrs: { b: 2 } })).data
  ], [{ a: 1 }, { a: 1 }])
  kept("E14 toJSON is called with nothing", async env => {
    let seen
    env.faux.put("it", h)
    const model = new env.Backbone.Model()
    model.toJSON = (...args) => { seen = args; return {} }
    await outcome(ends => env.Backbone.sync("update", model, { url: "it", ...ends }))
    return seen
  }, [])

  const emulated = async (env, method, options) => {
    const { httpMethod, httpMethodOverride, data } = await contextOf(env, method, { emulateHTTP: true, ...options })
    return [httpMethod, httpMethodOverride, data]
  }
  kept("E15 under emulateHTTP all but GET are POST", async env => {
    const seen = []
    for (const method of ["create", "read", "update", "delete", "patch"]) seen.push((await emulated(env, method)).slice(0, 2))
    return seen
  }, [["POST", "POST"], ["GET", undefined], ["POST", "PUT"], ["POST", "DELETE"], ["POST", "PATCH"]])
  kept("E15 GET then has no override at all", async env => "httpMethodOverride" in (await contextOf(env, "read", { emulateHTTP: true })), false)
  kept("E15 the override comes after the rest of the context", async env => Object.keys(await contextOf(env, "update", { emulateHTTP: true })),
    ["data", "url", "httpMethod", "route", "httpMethodOverride"])
  mended("E15 PATCH sends the attributes and DELETE none", async env => [(await emulated(env, "patch", { attrs: { b: 2 } }))[2], (await emulated(env, "delete"))[2]],
    [{ b: 2 }, undefined], [{ a: 1 }, { a: 1 }])
  kept("E15 create and update send the model", async env => [(await emulated(env, "create"))[2], (await emulated(env, "update"))[2]], [{ a: 1 }, { a: 1 }])
  kept("E15 emulateJSON changes nothing", async env => {
    const { data, httpMethod } = await contextOf(env, "update", { emulateJSON: true })
    return [data, httpMethod]
  }, [{ a: 1 }, "PUT"])
  kept("E15 the route is found by the method it goes as", async env => {
    env.faux.post("it", () => ({ by: "post" })).put("it", () => ({ by: "put" }))
    return [(await ask(env, "update", "it", { emulateHTTP: true }))[1], (await ask(env, "update", "it"))[1]]
  }, [{ by: "post" }, { by: "put" }])

  kept("E16 wait: true sends what is to be, while the model has what was", async env => {
    let sent
    const model = new (env.Backbone.Model.extend({ url: "it" }))({ id: 1, title: "old" })
    env.faux.put("it", context => { sent = [context.data, model.get("title")] })
    await outcome(ends => model.save({ title: "new" }, { wait: true, ...ends }))
    return [sent, model.get("title")]
  }, [[{ id: 1, title: "new" }, "old"], "new"])

  kept("E13 what is empty is ignored, for every method", async env => {
    const seen = []
    for (const method of ["create", "read", "update", "delete", "patch"]) {
      for (const data of ["", 0, null, false, undefined]) seen.push((await contextOf(env, method, { data })).data)
    }
    return seen
  }, [{ a: 1 }, undefined, { a: 1 }, undefined, { a: 1 }].flatMap(data => Array(5).fill(data)))
  kept("E14 attributes are handed over as they are, or the model's, unchanged", async env => {
    const attrs = { b: 2 }
    const json = { c: [3] }
    let seen
    const model = new env.Backbone.Model()
    model.toJSON = () => json
    env.faux.addRoute("it", context => { seen = context.data })
    await outcome(ends => env.Backbone.sync("patch", model, { url: "it", attrs, ...ends }))
    const patched = seen === attrs
    await outcome(ends => env.Backbone.sync("patch", model, { url: "it", attrs: null, ...ends }))
    const whole = seen === json
    await outcome(ends => env.Backbone.sync("create", model, { url: "it", ...ends }))
    return [patched, whole, seen === json]
  }, [true, true, true])
  kept("E14 what a handler does to the data is not done to the model", async env => {
    const model = new env.Backbone.Model({ a: 1 })
    env.faux.post("it", context => { context.data.a = 2; context.data.b = 3 })
    await outcome(ends => env.Backbone.sync("create", model, { url: "it", ...ends }))
    return model.attributes
  }, { a: 1 })
  kept("E14 a collection can be sent as well", async env => {
    let seen
    env.faux.post("it", context => { seen = context.data })
    await outcome(ends => env.Backbone.sync("create", new env.Backbone.Collection([{ id: 1 }, { id: 2 }]), { url: "it", ...ends }))
    return seen
  }, [{ id: 1 }, { id: 2 }])
  kept("E14 what a model's methods send", async env => {
    const seen = []
    env.faux.addRoute(/^b(?:\/(.*))?$/, (context, id) => { seen.push([context.httpMethod, context.url, context.data, id]) })
    const model = new (env.Backbone.Model.extend({ urlRoot: "b" }))({ t: 1 })
    await outcome(ends => model.save(null, ends))
    model.set({ id: 5 })
    await outcome(ends => model.save({ t: 2 }, ends))
    await outcome(ends => model.save({ t: 3 }, { patch: true, ...ends }))
    await outcome(ends => model.save(null, { patch: true, ...ends }))
    await outcome(ends => model.fetch(ends))
    await outcome(ends => model.destroy({ wait: true, ...ends }))
    return seen
  }, [
    ["POST", "b", { t: 1 }, undefined], ["PUT", "b/5", { t: 2, id: 5 }, "5"], ["PATCH", "b/5", { t: 3 }, "5"], ["PATCH", "b/5", { t: 3, id: 5 }, "5"],
    ["GET", "b/5", undefined, "5"], ["DELETE", "b/5", undefined, "5"]
  ])
  ours("E15 options.data goes before that as well", async env => [
    (await emulated(env, "delete", { data: { d: 1 } }))[2], (await emulated(env, "patch", { data: { d: 1 }, attrs: { b: 2 } }))[2], (await emulated(env, "patch"))[2]
  ], [{ d: 1 }, { d: 1 }, { a: 1 }])
  kept("E15 emulateHTTP: false in the options goes before Backbone's", async env => {
    env.Backbone.emulateHTTP = true
    const context = await contextOf(env, "update", { emulateHTTP: false })
    return [context.httpMethod, "httpMethodOverride" in context]
  }, ["PUT", false])
  kept("E16 wait: true and a failure leave everything as it was", async env => {
    const Book = env.Backbone.Model.extend({ urlRoot: "b" })
    const books = new (env.Backbone.Collection.extend({ model: Book, url: "b" }))([{ id: 1, title: "old" }])
    env.faux.put("b/:id", () => "422").del("b/:id", () => "403").post("b", () => "500")
    const book = books.at(0)
    const ended = [
      await outcome(ends => book.save({ title: "new" }, { wait: true, ...ends })),
      await outcome(ends => book.destroy({ wait: true, ...ends })),
      await outcome(ends => books.create({ title: "another" }, { wait: true, ...ends }))
    ]
    return [ended.map(([how, , reason]) => [how, reason]), book.get("title"), books.length]
  }, [[["error", "422"], ["error", "403"], ["error", "500"]], "old", 1])

  // ---- E17: latency. The page's own setTimeout is asked for it, so that a fake clock can rule it.

  const delaysOf = async (env, ...settings) => {
    const delays = []
    const own = window.setTimeout
    // jQuery 3 settles its Deferreds with timers too, of no delay at all.
    window.setTimeout = (act, delay) => { if (delay !== undefined) delays.push(delay); return env_setTimeout(act, 0) }
    try {
      env.faux.get("it", h)
      for (const args of settings) await ask(env.faux.setLatency(...args) && env, "read", "it")
    } finally {
      window.setTimeout = own
    }
    return delays
  }
  kept("E17 a latency is kept to the millisecond", env => delaysOf(env, [50], [50, 0], [50, undefined], [], [0], [7.5], [() => 30]), [50, 50, 50, 0, 0, 7.5, 30])
  kept("E17 between two it is chosen anew each time, in either order", async env => {
    const delays = await delaysOf(env, [20, 60], [60, 20])
    return delays.map(delay => delay >= 20 && delay <= 60)
  }, [true, true])
  mended("E17 what is no number, or negative, is none", env => delaysOf(env, [undefined, 5], [-5], [() => NaN], [() => -1]), [0, 0, 0, 0], [NaN, -5, NaN, -1])
  mended("E17 a latency function gets what the handler gets", async env => {
    const seen = []
    env.faux.get("it", "books/:id(/:part)", (...args) => { seen.push(args) })
    env.faux.setLatency((...args) => { seen.push(args); return 0 })
    await ask(env, "read", "books/7")
    return [seen[0].length, seen[0].slice(1), seen[0][0] === seen[1][0]]
  }, [3, ["7", undefined], true], [1, [], true])

  ours("E17 what a latency function returns is read as a number, and its own max is ignored", env =>
    delaysOf(env, [() => undefined], [() => "x"], [() => null], [-10, -5], [NaN], [() => 7, 5]), [0, 0, 0, 0, 0, 7])
  kept("E17 null is no latency, and no max", env => delaysOf(env, [null], [50, null], [5, 5]), [0, 50, 5])
  kept("E17 each request has its own", async env => {
    const order = []
    env.faux.get("it/:id", (context, id) => { order.push(id) }).setLatency(context => ({ "it/1": 60, "it/2": 35, "it/3": 10 })[context.url])
    await Promise.all([1, 2, 3].map(id => ask(env, "read", `it/${id}`)))
    return order
  }, ["3", "2", "1"])
  ours("E17 the default handler's latency function gets the context alone", async env => {
    let seen
    env.faux.setDefaultHandler(h).setLatency((...args) => { seen = args; return 0 })
    await ask(env, "read", "it")
    return [seen.length, seen[0].route.name]
  }, [1, ""])

  // ---- E18 and E19: what a handler returns

  const answered = async (env, value) => {
    env.faux.get("it", "it", () => value)
    return ask(env, "read", "it")
  }
  kept("E18 a string is a failure, an empty one too", async env => [await answered(env, "404 Not found"), await answered(env, "")],
    [["error", "404 Not found"], ["error", ""]])
  kept("E18 so is a String", async env => {
    const [how, reason] = await answered(env, new String("x"))
    return [how, String(reason)]
  }, ["error", "x"])
  kept("E18 anything else is a success, by identity", async env => {
    const values = [404, 0, false, null, undefined, true, {}, [], new Error("no"), new Date(0), new Map()]
    const results = []
    for (const value of values) {
      const [how, got] = await answered(env, value)
      results.push(how === "success" && got === value)
    }
    return results
  }, Array(11).fill(true))
  mended("E18 a Promise is awaited", async env => {
    const resolved = await answered(env, Promise.resolve({ later: true }))
    return [resolved[0], resolved[1] instanceof Promise ? "the Promise" : resolved[1]]
  }, ["success", { later: true }], ["success", "the Promise"])
  ours("E18 a Promise of a string is a failure, as is one that is rejected", async env => [
    await answered(env, Promise.resolve("410")),
    (await ask((env.faux.get("later", async () => { throw new Error("no") }), env), "read", "later"))[0]
  ], [["error", "410"], "error"])
  kept("E18 a fetched collection is emptied by nothing until Backbone 1.2", async env => {
    const Books = env.Backbone.Collection.extend({ url: "it" })
    const lengths = []
    for (const value of [undefined, null]) {
      env.faux.get("it", "it", () => value)
      const books = new Books([{ id: 1 }])
      await outcome(ends => books.fetch(ends))
      lengths.push(books.length)
    }
    return lengths
  }, env => (older(env, "1.2.0") ? [0, 0] : [1, 1]))
  kept("E18 a save answered 404 is a success, and Backbone's to read", async env => {
    const model = new (env.Backbone.Model.extend({ url: "it" }))({ a: 1 })
    env.faux.post("it", () => 404)
    const [how] = await outcome(ends => model.save(null, ends))
    return [how, model.get("a")]
  }, ["success", 1])

  mended("E19 a handler that throws fails the request", async env => {
    env.expectErrors()
    env.faux.get("it", () => { throw new Error("broken") })
    const ended = await orPending(ask(env, "read", "it"))
    return ended === "pending" ? ended : ended[0]
  }, "error", "pending")
  ours("E19 with status 500", async env => {
    env.expectErrors()
    env.faux.get("it", () => { throw new Error("broken") })
    const options = { url: "it" }
    const [how] = await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends)))
    return [how, options.faux.status]
  }, ["error", 500])
  ours("E19 and the next request is answered", async env => {
    env.expectErrors()
    env.faux.get("bad", () => { throw new Error("broken") }).get("good", () => ({ good: true }))
    const both = [ask(env, "read", "bad"), ask(env, "read", "good")]
    return [(await both[0])[0], await both[1]]
  }, ["error", ["success", { good: true }]])

  kept("E18 other successes, by identity", async env => {
    const results = []
    for (const value of [NaN, Infinity, Symbol.iterator, h, /x/, new Number(5), document.body, [[]]]) {
      const [how, got, ...more] = await answered(env, value)
      results.push(how === "success" && Object.is(got, value) && more.length === 0)
    }
    return results
  }, Array(8).fill(true))
  ours("E18 what is awaited is read like what is returned", async env => {
    const { HTTPError, Response } = env.faux
    const later = value => new Promise(resolve => env_setTimeout(resolve, 2, value))
    const results = []
    for (const value of [later("no"), later(404), later(null), later(undefined), { then: done => done({ thenable: 1 }) }, later(new Response({ r: 1 }, 201)), later(new Response({ e: 1 }, 422))]) {
      results.push(await answered(env, value))
    }
    env.faux.get("rejected", async () => { throw new HTTPError(404) })
    return [...results, await ask(env, "read", "rejected")]
  }, [
    ["error", "no"], ["success", 404], ["success", null], ["success", undefined], ["success", { thenable: 1 }], ["success", { r: 1 }], ["error", { e: 1 }], ["error", "Not Found"]
  ])
  ours("E18 a jQuery promise as well", async env => {
    if (!env.$) return "no jQuery"
    const deferred = env.$.Deferred()
    env_setTimeout(() => deferred.resolve({ b: 2 }), 2)
    return answered(env, deferred.promise())
  }, env => (env.$ ? ["success", { b: 2 }] : "no jQuery"))
  ours("E19 whatever it throws", async env => {
    env.expectErrors()
    const told = []
    for (const thrown of ["text", { odd: 1 }, undefined, null, 5, Object.assign(new Error("gone"), { http_status_code: 410 })]) {
      const options = { url: "it" }
      env.faux.get("it", "it", () => { throw thrown })
      const [how, reason] = await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends)))
      told.push([how, reason, options.faux.status])
    }
    return told
  }, [["error", "text", 500], ["error", "[object Object]", 500], ["error", "undefined", 500], ["error", "null", 500], ["error", "5", 500], ["error", "gone", 410]])
  ours("E19 and whatever stands for a handler that is none", async env => {
    env.expectErrors()
    env.faux.addRoute("n", "it", "GET", null)
    return (await ask(env, "read", "it"))[0]
  }, "error")

  // ---- E20 and E21, F8: what is under way, and switches

  kept("E20 a request keeps the handler it matched", async env => {
    env.faux.get("it", () => ({ by: "first" }))
    const ended = [ask(env, "read", "it")]
    env.faux.get("it", () => ({ by: "second" }))
    ended.push(ask(env, "read", "it"))
    env.faux.removeRoutes()
    env.faux.enable(false)
    return Promise.all(ended)
  }, [["success", { by: "first" }], ["success", { by: "second" }]])
  kept("F8 a route replaced by its name, too", async env => {
    env.faux.get("n", "it", () => ({ by: "first" })).setLatency(5)
    const ended = ask(env, "read", "it")
    env.faux.get("n", "it", () => ({ by: "second" })).setLatency(0)
    return [await ask(env, "read", "it"), await ended]
  }, [["success", { by: "second" }], ["success", { by: "first" }]])
  kept("F8 later changes of the model do not reach the data", async env => {
    let sent
    const model = new (env.Backbone.Model.extend({ url: "it" }))({ title: "then" })
    env.faux.post("it", context => { sent = context.data.title })
    const ended = outcome(ends => model.save(null, ends))
    model.set({ title: "now" })
    await ended
    return sent
  }, "then")

  kept("E21 any false value disables, undefined enables", env => {
    const network = []
    for (const flag of [[false], [0], [null], [""], [undefined], [], [true]]) {
      env.ajax.length = 0
      env.faux.get("it", h).enable(...flag)
      env.Backbone.sync("read", new env.Backbone.Model(), { url: "it" })
      network.push(env.ajax.length)
      env.faux.enable()
    }
    return network
  }, [1, 1, 1, 1, 0, 0, 0])
  mended("E21 setTransportFactory() brings the default back", async env => {
    env.faux.get("it", () => ({ fine: true })).setTransportFactory(() => ({ promise: () => "mine", resolve: h, reject: h })).setTransportFactory()
    try {
      return await ask(env, "read", "it")
    } catch (error) {
      return error.name
    }
  }, ["success", { fine: true }], "TypeError")

  kept("E20 also the default handler, and the transport", async env => {
    const log = []
    const transport = name => options => ({ promise: h, resolve: value => { log.push(name); options.success(value) }, reject: h })
    env.faux.setDefaultHandler(() => ({ by: "default" })).setTransportFactory(transport("first"))
    const ended = ask(env, "read", "it")
    env.faux.setDefaultHandler().setTransportFactory(transport("second"))
    return [await ended, log]
  }, [["success", { by: "default" }], ["first"]])
  kept("E20 a handler may change the routes, and sync again", async env => {
    let inner
    env.faux.get("it", () => {
      env.faux.removeRoutes().get("other", () => ({ by: "other" }))
      inner = ask(env, "read", "other")
      return { by: "it" }
    })
    return [await ask(env, "read", "it"), await inner]
  }, [["success", { by: "it" }], ["success", { by: "other" }]])
  kept("E21 routes can be added and asked for while it is disabled", env => {
    env.faux.enable(false).get("n", "it", h)
    const found = route(env.faux.getMatchingRoute("it", "GET"), { h })
    env.faux.enable()
    return found
  }, ["n", "/^it$/", "GET", "h"])
  ours("E21 setTransportFactory(null) does so, too", async env => {
    env.faux.get("it", () => ({ fine: true })).setTransportFactory(() => ({ promise: h, resolve: h, reject: h })).setTransportFactory(null)
    return ask(env, "read", "it")
  }, ["success", { fine: true }])

  // ---- E22 and E23: callbacks

  kept("E22 success and error get one value, which Backbone makes three of", async env => {
    env.faux.get("good", () => ({ b: 2 })).get("bad", () => "no")
    const model = new env.Backbone.Model()
    const direct = [await ask(env, "read", "good"), await ask(env, "read", "bad")]
    const good = await outcome(ends => model.fetch({ url: "good", ...ends }))
    const bad = await outcome(ends => model.fetch({ url: "bad", ...ends }))
    return [direct.map(ended => ended.length), good.length, good[1] === model, good[2], good[3].url, bad.length, bad[1] === model, bad[2], bad[3].url]
  }, [[2, 2], 4, true, { b: 2 }, "good", 4, true, "no", "bad"])
  kept("E22 sync and error are triggered on the model", async env => {
    env.faux.get("good", () => ({ b: 2 })).get("bad", () => "no")
    const log = []
    const model = new env.Backbone.Model()
    model.on("request sync error", function () { log.push(arguments.length) })
    model.on("all", name => log.push(name))
    await outcome(ends => model.fetch({ url: "good", ...ends }))
    await outcome(ends => model.fetch({ url: "bad", ...ends }))
    await new Promise(resolve => env_setTimeout(resolve, 0))
    return log
  }, [3, "request", "change:b", "change", 3, "sync", 3, "request", 3, "error"])
  kept("E22 the promise of jQuery has one value to give", async env => {
    if (!env.$) return "no jQuery"
    env.faux.get("good", () => ({ b: 2 })).get("bad", () => "no")
    const seen = []
    const good = env.Backbone.sync("read", new env.Backbone.Model(), { url: "good" })
    const bad = env.Backbone.sync("read", new env.Backbone.Model(), { url: "bad" })
    await new Promise(resolve => good.done((...values) => { seen.push(values); resolve() }))
    await new Promise(resolve => good.then((...values) => { seen.push(values); resolve() }))
    await new Promise(resolve => bad.fail((...values) => { seen.push(values); resolve() }))
    return seen.concat([[typeof good.always, typeof good.resolve, good.state(), bad.state()]])
  }, env => (env.$ ? [[{ b: 2 }], [{ b: 2 }], ["no"], ["function", "undefined", "resolved", "rejected"]] : "no jQuery"))
  ours("E22 without jQuery it is a native Promise", async env => {
    const before = env.Backbone.$
    env.Backbone.$ = undefined
    try {
      env.faux.get("good", () => ({ b: 2 })).get("bad", () => "no")
      const good = env.Backbone.sync("read", new env.Backbone.Model(), { url: "good" })
      const bad = env.Backbone.sync("read", new env.Backbone.Model(), { url: "bad" })
      await new Promise(resolve => env_setTimeout(resolve, 20))
      return [good instanceof Promise, typeof good.abort, await good, await bad.then(h, reason => reason)]
    } finally {
      env.Backbone.$ = before
    }
  }, [true, "function", { b: 2 }, "no"])

  const OPERATIONS = [
    (Book, Books, ends) => { const book = new Book(); book.save(null, ends); return book },
    (Book, Books, ends) => { const book = new Book({ id: 1 }); book.save(null, ends); return book },
    (Book, Books, ends) => { const book = new Book({ id: 1 }); book.save({ z: 1 }, { patch: true, ...ends }); return book },
    (Book, Books, ends) => { const book = new Book({ id: 1 }); book.fetch(ends); return book },
    (Book, Books, ends) => { const book = new Book({ id: 1 }); book.destroy(ends); return book },
    (Book, Books, ends) => { const books = new Books(); books.fetch(ends); return books }
  ]
  const operate = async (env, answer) => {
    const Book = env.Backbone.Model.extend({ urlRoot: "b" })
    const Books = env.Backbone.Collection.extend({ model: Book, url: "b" })
    const told = []
    env.faux.addRoute("it", /^b/, "*", () => answer)
    for (const operation of OPERATIONS) {
      let target
      const [how, one, value, options, ...more] = await outcome(ends => { target = operation(Book, Books, { mine: true, ...ends }) })
      told.push([how, one === target, value === answer, options.mine, more.length])
    }
    return told
  }
  kept("E22 every operation calls back with model, response and options", async env => [await operate(env, { x: 1 }), await operate(env, "no")],
    [Array(6).fill(["success", true, true, true, 0]), Array(6).fill(["error", true, true, true, 0])])
  kept("E22 the promise has all that a promise of jQuery has, and is what request was given", env => {
    if (!env.$) return "no jQuery"
    env.faux.get("it", h)
    const model = new (env.Backbone.Model.extend({ url: "it" }))()
    let given
    model.on("request", (it, promise) => { given = promise })
    const promise = model.fetch()
    return [given === promise, ["then", "done", "fail", "always", "state", "promise", "catch", "resolve", "reject", "notify", "status"].filter(word => word in promise), promise.state()]
  }, env => (env.$ ? [true, ["then", "done", "fail", "always", "state", "promise", ...(env.jquery >= 3 ? ["catch"] : [])], "pending"] : "no jQuery"))
  kept("E22 $.when waits for it", async env => {
    if (!env.$) return "no jQuery"
    env.faux.get("it/:id", (context, id) => ({ id }))
    const fetch = id => new (env.Backbone.Model.extend({ urlRoot: "it" }))({ id }).fetch()
    return new Promise(resolve => env.$.when(fetch(1), fetch(2)).done((...values) => resolve(values)))
  }, env => (env.$ ? [{ id: "1" }, { id: "2" }] : "no jQuery"))
  ours("E22 when it settles, the model has what was answered", async env => {
    env.faux.get("it", () => ({ b: 2 }))
    const before = env.Backbone.$
    const seen = []
    try {
      for (const $ of [before, undefined]) {
        env.Backbone.$ = $
        const model = new (env.Backbone.Model.extend({ url: "it" }))()
        await new Promise(resolve => model.fetch().then(() => { seen.push(model.get("b")); resolve() }))
      }
    } finally {
      env.Backbone.$ = before
    }
    return seen
  }, [2, 2])

  const inOrder = async env => {
    const log = []
    env.faux.get("it", () => ({ b: 2 })).get("bad", () => "no")
    const good = env.Backbone.sync("read", new env.Backbone.Model(), { url: "it", success: () => log.push("success") })
    const bad = env.Backbone.sync("read", new env.Backbone.Model(), { url: "bad", error: () => log.push("error") })
    if (!env.$) return "no jQuery"
    good.done(() => log.push("done"))
    bad.fail(() => log.push("fail"))
    await new Promise(resolve => bad.fail(() => env_setTimeout(resolve, 30)))
    return [log.indexOf("success") < log.indexOf("done"), log.indexOf("error") < log.indexOf("fail"), log.length]
  }
  mended("E23 success goes before done, error before fail", inOrder, env => (env.$ ? [true, true, 4] : "no jQuery"),
    env => (!env.$ ? "no jQuery" : env.jquery >= 3 ? [false, false, 4] : [true, true, 4]))
  mended("E23 what a callback throws reaches window.onerror", async env => {
    env.expectErrors()
    env.faux.get("it", () => ({ b: 2 }))
    const ended = env.Backbone.sync("read", new env.Backbone.Model(), { url: "it", success: () => { throw new Error("mine") } })
    await new Promise(resolve => env_setTimeout(resolve, 60))
    return [env.errors.map(message => message.replace(/^Uncaught /, "")), ended && ended.state ? ended.state() : "none"]
  }, env => [["Error: mine"], env.$ ? "resolved" : "none"],
  env => (env.jquery >= 3 ? [[], "resolved"] : [["Error: mine"], env.$ ? "resolved" : "none"]))
  ours("E23 and does not stop the next answer", async env => {
    env.expectErrors()
    env.faux.get("it", () => ({ b: 2 }))
    env.Backbone.sync("read", new env.Backbone.Model(), { url: "it", success: () => { throw new Error("mine") } })
    return ask(env, "read", "it")
  }, ["success", { b: 2 }])

  ours("E23 also what an error callback throws, and what an event handler does", async env => {
    env.expectErrors()
    env.faux.get("it", () => ({ b: 2 })).get("bad", () => "no")
    const model = new (env.Backbone.Model.extend({ url: "it" }))()
    model.on("sync", () => { throw new Error("in event") })
    const failed = env.Backbone.sync("read", new env.Backbone.Model(), { url: "bad", error: () => { throw new Error("in error") } })
    const fetched = model.fetch()
    await new Promise(resolve => env_setTimeout(resolve, 60))
    return [env.errors.map(message => message.replace(/^Uncaught /, "")), env.$ ? [failed.state(), fetched.state()] : "no jQuery"]
  }, env => [["Error: in error", "Error: in event"], env.$ ? ["rejected", "resolved"] : "no jQuery"])

  // ---- What a page can observe

  kept("O1 a handler is the very function", env => {
    env.faux.get("n", "u", h)
    return [env.faux.getRoute("n").handler === h, env.faux.getRouteAt(0).handler === h, env.faux.getMatchingRoute("u", "GET").handler === h]
  }, [true, true, true])
  kept("O1 the handler of a route without one is a plain function", env => {
    env.faux.get("n", "u")
    const { handler } = env.faux.getRoute("n")
    return [Object.prototype.toString.call(handler), handler()]
  }, ["[object Function]", undefined])
  kept("O2 the expression is a real RegExp", env => {
    env.faux.get("n", "override", h)
    const { urlExp } = env.faux.getRoute("n")
    return [urlExp.toString() === "/^override$/", urlExp instanceof RegExp, urlExp.test("override"), Object.prototype.toString.call(urlExp)]
  }, [true, true, true, "[object RegExp]"])
  kept("O2 routes are copies, plain and writable", env => {
    env.faux.get("n", "u", h)
    const copies = [env.faux.getRoute("n"), env.faux.getRouteAt(0), env.faux.getMatchingRoute("u", "GET")]
    for (const copy of copies) {
      copy.name = "changed"
      copy.handler = null
      copy.httpMethod = "PUT"
      copy.extra = 1
    }
    return [copies.map(copy => Object.getPrototypeOf(copy) === Object.prototype), route(env.faux.getRoute("n"), { h }), env.faux.getRoute("changed")]
  }, [[true, true, true], ["n", "/^u$/", "GET", "h"], null])
  kept("O3 captures are a plain array with undefined in it", env => {
    env.faux.get("n", "help(/:topic)(/:page)", h)
    const { handlerParams } = env.faux.getMatchingRoute("help/faq", "GET")
    return [handlerParams, Array.isArray(handlerParams), handlerParams.length, handlerParams[1] === undefined]
  }, [["faq", undefined], true, 2, true])
  kept("O3 the data is what the model gives", async env => {
    const attributes = { a: 1, list: [1, { b: null }], when: null, deep: { c: "ü€😀" }, none: undefined }
    const { data } = await contextOf(env, "create", {}, attributes)
    return [data, Object.getPrototypeOf(data) === Object.prototype, data.list === attributes.list]
  }, [{ a: 1, list: [1, { b: null }], when: null, deep: { c: "ü€😀" }, none: undefined }, true, true])
  kept("O4 no override is undefined", async env => (await contextOf(env, "update")).httpMethodOverride === undefined, true)
  kept("O5 without a url sync throws at once", env => {
    const model = new env.Backbone.Model()
    model.url = () => ""
    return [
      thrown(() => env.Backbone.sync("read", model, {})).message,
      kind(thrown(() => new env.Backbone.Model().fetch())), /url/.test(thrown(() => new env.Backbone.Model().fetch()).message)
    ]
  }, ["sync: Undefined 'url' property or function of Model / Collection", "Error", true])
  kept("O5 a handler runs after the current tick, and what waits for it", async env => {
    const log = []
    env.faux.get("it", () => { log.push("handler") })
    const ended = ask(env, "read", "it")
    log.push("sync")
    await null
    await null
    log.push("microtask")
    await ended
    return log
  }, ["sync", "microtask", "handler"])
  kept("O6 Backbone.$ is looked up at each sync", env => {
    const before = env.Backbone.$
    const made = []
    const Deferred = () => {
      made.push("deferred")
      const deferred = { then: () => deferred, done: () => deferred, fail: () => deferred, resolve: h, reject: h, promise: () => "its promise" }
      return deferred
    }
    try {
      env.faux.get("it", h)
      env.Backbone.$ = { Deferred }
      const returned = env.Backbone.sync("read", new env.Backbone.Model(), { url: "it" })
      return [made, returned]
    } finally {
      env.Backbone.$ = before
    }
  }, [["deferred"], "its promise"])
  kept("O6 Backbone.emulateHTTP is read at each sync", async env => {
    const before = await contextOf(env, "update")
    env.Backbone.emulateHTTP = true
    const during = await contextOf(env, "update")
    env.Backbone.emulateHTTP = false
    return [before.httpMethod, during.httpMethod, during.httpMethodOverride]
  }, ["PUT", "POST", "PUT"])
  kept("O6 what is not ours goes to the sync there was", env => {
    env.Backbone.sync("read", new env.Backbone.Model(), { url: "elsewhere", beforeSend: h })
    return env.ajax.map(call => [call.type, call.url, call.beforeSend === h])
  }, [["GET", "elsewhere", true]])
  kept("O7 latency runs from the call", async env => {
    const order = []
    env.faux.get("slow", () => { order.push("slow") }).get("fast", () => { order.push("fast") })
    env.faux.setLatency(40)
    const slow = ask(env, "read", "slow")
    env.faux.setLatency(5)
    await Promise.all([slow, ask(env, "read", "fast")])
    return order
  }, ["fast", "slow"])

  // ---- F3: Backbone's own behaviour

  const calls = env => {
    const { Backbone } = env
    const Model = Backbone.Model.extend({ urlRoot: "own" })
    const Collection = Backbone.Collection.extend({ model: Model, url: "own" })
    env.ajax.length = 0
    const returned = [
      new Model({ a: 1 }).save(),
      new Model({ id: 1, a: 1 }).save(),
      new Model({ id: 1, a: 1 }).save({ b: 2 }, { patch: true }),
      new Model({ id: 1 }).fetch({ data: { q: 1 } }),
      new Model({ id: 1 }).destroy({ wait: true }),
      new Collection().fetch({ headers: { "X-Mine": "1" } }),
      new Collection().create({ c: 3 }, { wait: true }) instanceof Model,
      new Model({ id: 1, a: 1 }).save(null, { emulateHTTP: true, emulateJSON: true })
    ]
    return [env.ajax.map(({ type, url, data, dataType, contentType, processData, headers, emulateHTTP, emulateJSON }) =>
      ({ type, url, data, dataType, contentType, processData, headers, emulateHTTP, emulateJSON })), returned]
  }
  kept("F3 calls that no route matches are Backbone's own, word for word", env => {
    const ours = calls(env)
    const installed = env.Backbone.sync
    env.Backbone.sync = env.native
    const own = calls(env)
    env.Backbone.sync = installed
    return [show(ours) === show(own), own[0].length]
  }, [true, 8])
  kept("F3 when disabled as well", env => {
    env.faux.addRoute("own", "*", h).addRoute("own/:id", "*", h).enable(false)
    const ours = calls(env)
    const installed = env.Backbone.sync
    env.Backbone.sync = env.native
    const own = calls(env)
    env.Backbone.sync = installed
    return show(ours) === show(own)
  }, true)
  kept("F3 what the network returns is what sync returns", env => env.Backbone.sync("read", new env.Backbone.Model(), { url: "own" }) === env.xhr, true)
  kept("F3 request is then triggered once, by Backbone", env => {
    let seen = 0
    const model = new env.Backbone.Model()
    model.on("request", (it, xhr) => { seen += it === model && xhr === env.xhr })
    env.Backbone.sync("read", model, { url: "own" })
    return seen
  }, 1)
  kept("F3 without jQuery the network throws what Backbone throws", env => {
    const before = env.Backbone.$
    env.Backbone.ajax = env.ownAjax
    env.Backbone.$ = undefined
    try {
      return kind(thrown(() => env.Backbone.sync("read", new env.Backbone.Model(), { url: "own" })))
    } finally {
      env.Backbone.$ = before
    }
  }, "TypeError")

  // ---- F4: Promises

  ours("F4 async functions answer like others, strings failing", async env => {
    env.faux.get("good", async (context, ...rest) => ({ rest: rest.length })).get("bad", async () => "418")
    return [await ask(env, "read", "good"), await ask(env, "read", "bad")]
  }, [["success", { rest: 0 }], ["error", "418"]])
  ours("F4 requests under way at once are answered each by its own", async env => {
    env.faux.get("it/:nn", async (context, n) => ({ n }))
    const ended = await Promise.all([..."123456789"].map(n => ask(env, "read", `it/${n}`)))
    return ended.map(([, value]) => value.n).join("")
  }, "123456789")

  // ---- F5: abort

  ours("F5 an aborted request fails with abort, and its handler is not run", async env => {
    let ran = 0
    env.faux.get("it", () => { ran += 1 })
    let promise
    const ended = outcome(ends => { promise = env.Backbone.sync("read", new env.Backbone.Model(), { url: "it", ...ends }) })
    promise.abort()
    const [how, reason] = await ended
    await ask(env, "read", "it")
    return [how, { status: reason.status, statusText: reason.statusText }, ran]
  }, ["error", { status: 0, statusText: "abort" }, 1])
  ours("F5 what save returns can do it, and the answer of one under way is dropped", async env => {
    let finish
    let begun
    const started = new Promise(resolve => { begun = resolve })
    env.faux.post("it", () => { begun(); return new Promise(resolve => { finish = resolve }) })
    const model = new (env.Backbone.Model.extend({ url: "it" }))({ a: 1 })
    const heard = []
    const returned = model.save(null, { success: () => heard.push("success"), error: (it, reason) => heard.push(reason.statusText) })
    await started
    returned.abort()
    finish({ a: 2 })
    await new Promise(resolve => env_setTimeout(resolve, 20))
    return [heard, model.get("a")]
  }, [["abort"], 1])
  ours("F5 aborting what is answered changes nothing", async env => {
    env.faux.get("it", () => ({ b: 2 }))
    let promise
    const heard = []
    await outcome(ends => {
      promise = env.Backbone.sync("read", new env.Backbone.Model(), { url: "it", success: value => { heard.push("success"); ends.success(value) }, error: () => heard.push("error") })
    })
    promise.abort()
    await new Promise(resolve => env_setTimeout(resolve, 20))
    return heard
  }, ["success"])

  ours("F5 in every moment it is told once, at once, and to all", async env => {
    const log = []
    const abort = promise => { log.push(promise.abort() === promise) }
    const start = (url, options = {}) => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, {
      url, success: () => log.push("success"), error: (...reasons) => log.push(...reasons)
    }))
    env.faux.get("it", () => { log.push("ran") }).get("own", () => { abort(own) })
    const options = {}
    const early = start("it", options)
    abort(early)
    abort(early)
    log.push(options.faux)
    env.faux.setLatency(20)
    const waiting = start("it")
    env.faux.setLatency()
    const own = start("own")
    await ask(env, "read", "it")
    abort(waiting)
    await new Promise(resolve => env_setTimeout(resolve, 40))
    return log
  }, [
    { status: 0, statusText: "abort" }, true, true, { status: 0, statusText: "abort", headers: {} },
    { status: 0, statusText: "abort" }, true, "ran", { status: 0, statusText: "abort" }, true
  ])
  ours("F5 in the request event nothing is run, and sync returns all the same", async env => {
    const log = []
    const model = new env.Backbone.Model()
    env.faux.get("it", () => { log.push("ran") })
    model.on("request", (it, promise) => promise.abort())
    const returned = env.Backbone.sync("read", model, { url: "it", error: reason => log.push(reason.statusText) })
    await ask(env, "read", "it")
    return [log, typeof returned.then]
  }, [["abort", "ran"], "function"])
  ours("F5 in its own callback it is too late", async env => {
    const log = []
    env.faux.get("it", () => ({ b: 2 }))
    const promise = env.Backbone.sync("read", new env.Backbone.Model(), { url: "it", success: () => { log.push("success"); promise.abort() }, error: () => log.push("error") })
    await ask(env, "read", "it")
    return [log, env.$ ? promise.state() : await promise]
  }, env => [["success"], env.$ ? "resolved" : { b: 2 }])
  ours("F5 models and collections stay as they were", env => {
    const Book = env.Backbone.Model.extend({ urlRoot: "b" })
    const books = new (env.Backbone.Collection.extend({ model: Book, url: "b" }))([{ id: 1, title: "old" }])
    let errors = 0
    books.on("error", () => { errors += 1 })
    env.faux.addRoute(/^b/, () => ({ id: 9, title: "new" }))
    books.fetch().abort()
    books.at(0).save({ title: "newer" }, { wait: true }).abort()
    books.at(0).destroy({ wait: true }).abort()
    return [errors, books.toJSON()]
  }, [3, [{ id: 1, title: "old" }]])
  ours("F5 the promise is rejected with that alone", async env => {
    env.faux.get("it", h)
    const promise = env.Backbone.sync("read", new env.Backbone.Model(), { url: "it" })
    promise.abort()
    return new Promise(resolve => promise.then(null, (...reasons) => resolve(reasons)))
  }, [{ status: 0, statusText: "abort" }])

  // ---- F6: install and uninstall

  ours("F6 uninstall restores the sync there was, install comes back", async env => {
    const installed = env.Backbone.sync
    env.faux.get("it", () => ({ b: 2 }))
    env.faux.uninstall()
    const restored = env.Backbone.sync === env.native
    env.Backbone.sync("read", new env.Backbone.Model(), { url: "it" })
    env.faux.install(env.Backbone)
    return [restored, env.ajax.length, installed !== env.native, await ask(env, "read", "it")]
  }, [true, 1, true, ["success", { b: 2 }]])
  ours("F6 a patch on top of ours stays, and ours passes through under it", async env => {
    env.faux.get("it", () => ({ b: 2 }))
    const ours = env.Backbone.sync
    const log = []
    const wrapper = function (...args) { log.push("wrapper"); return ours.apply(this, args) }
    env.Backbone.sync = wrapper
    env.faux.uninstall()
    const stays = env.Backbone.sync === wrapper
    env.Backbone.sync("read", new env.Backbone.Model(), { url: "it" })
    const network = env.ajax.length
    env.faux.install(env.Backbone)
    const again = env.Backbone.sync === wrapper
    const ended = await ask(env, "read", "it")
    env.Backbone.sync = ours
    return [stays, network, again, ended, log]
  }, [true, 1, true, ["success", { b: 2 }], ["wrapper", "wrapper"]])
  ours("F6 each Backbone is installed on its own", async env => {
    const other = { ...env.Backbone, sync: (...args) => { elsewhere.push(args[2].url); return "native" } }
    const elsewhere = []
    env.faux.get("it", () => ({ b: 2 }))
    other.sync("read", new env.Backbone.Model(), { url: "it" })
    const uninstall = env.faux.install(other)
    const ended = await outcome(ends => other.sync("read", new env.Backbone.Model(), { url: "it", ...ends }))
    const beyond = other.sync("read", new env.Backbone.Model(), { url: "beyond" })
    if (typeof uninstall === "function") uninstall()
    else env.faux.uninstall(other)
    other.sync("read", new env.Backbone.Model(), { url: "it" })
    return [elsewhere, ended, beyond, await ask(env, "read", "it")]
  }, [["it", "beyond", "it"], ["success", { b: 2 }], "native", ["success", { b: 2 }]])

  ours("F6 install comes back on top where somebody put the first sync back", env => {
    const { Backbone, faux } = env
    const ours = Backbone.sync
    Backbone.sync = env.native
    faux.install(Backbone)
    const again = Backbone.sync === ours
    faux.uninstall()
    const gone = Backbone.sync === env.native
    faux.install()
    return [again, gone, Backbone.sync === env.native]
  }, [true, true, false])
  ours("F6 install and uninstall may be called as often as one likes", env => {
    const { Backbone, faux } = env
    const ours = Backbone.sync
    const uninstall = faux.install()
    const same = Backbone.sync === ours
    uninstall()
    uninstall()
    const chained = faux.uninstall().uninstall() === faux
    const gone = Backbone.sync === env.native
    faux.install()
    faux.install(Backbone)
    return [same, chained, gone, Backbone.sync === env.native, kind(thrown(() => faux.install({})))]
  }, [true, true, true, false, "Error"])
  ours("F6 install stands before the sync that it finds", env => {
    const { Backbone, faux } = env
    const theirs = () => "theirs"
    faux.uninstall()
    Backbone.sync = theirs
    faux.install()
    const answer = Backbone.sync("read", new Backbone.Model(), { url: "elsewhere" })
    faux.uninstall()
    const back = Backbone.sync === theirs
    Backbone.sync = env.native
    faux.install()
    return [answer, back]
  }, ["theirs", true])

  // ---- F9: transports

  kept("F9 a transport factory gets the options and the context, and its promise is returned", async env => {
    const seen = []
    env.faux.setTransportFactory((options, context) => {
      seen.push(options.url, Object.keys(context), context.httpMethod, context.data)
      return { promise: () => "mine", resolve: value => options.success({ wrapped: value }), reject: reason => options.error(`because ${reason}`) }
    })
    env.faux.put("good", () => ({ b: 2 })).get("bad", () => "no")
    const ended = [await ask(env, "update", "good"), await ask(env, "read", "bad"), seen.slice()]
    return [...ended, env.Backbone.sync("read", new env.Backbone.Model(), { url: "bad", success: h, error: h })]
  }, [
    ["success", { wrapped: { b: 2 } }], ["error", "because no"],
    ["good", ["data", "url", "httpMethod", "route"], "PUT", { a: 1 }, "bad", ["data", "url", "httpMethod", "route"], "GET", undefined], "mine"
  ])
  ours("F9 what a custom transport promises is left alone", async env => {
    const promise = Object.freeze({})
    env.faux.setTransportFactory(() => ({ promise: () => promise, resolve: h, reject: h }))
    env.faux.get("it", h)
    return env.Backbone.sync("read", new env.Backbone.Model(), { url: "it" }) === promise
  }, true)

  kept("F9 what the transport promises is what every operation returns", env => {
    const promise = {}
    const Book = env.Backbone.Model.extend({ urlRoot: "b" })
    env.faux.addRoute(/^b/, h).setTransportFactory(() => ({ promise: () => promise, resolve: h, reject: h }))
    const book = new Book({ id: 1 })
    return [
      new Book().save(), book.save(), book.save({ a: 1 }, { patch: true }), book.fetch(), book.destroy(), new (env.Backbone.Collection.extend({ url: "b" }))().fetch()
    ].map(returned => returned === promise).concat("abort" in promise)
  }, [true, true, true, true, true, true, false])
  kept("F9 the transport's methods are called as its own, with one value", async env => {
    const log = []
    class Mine {
      constructor(options) { this.options = options }
      promise(...args) { log.push(this instanceof Mine, args); return null }
      resolve(...args) { log.push(this instanceof Mine, args); this.options.success(args[0]) }
      reject(...args) { log.push(this instanceof Mine, args); this.options.error(args[0]) }
    }
    env.faux.setTransportFactory(options => new Mine(options)).get("good", () => 303).get("bad", () => "304")
    await ask(env, "read", "good")
    await ask(env, "read", "bad")
    return [log.slice(), env.Backbone.sync("read", new env.Backbone.Model(), { url: "good", success: h })]
  }, [[true, [], true, [303], true, [], true, ["304"]], null])
  kept("F9 no transport is made for what is not ours", env => {
    let made = 0
    env.faux.setTransportFactory(() => { made += 1; return { promise: h, resolve: h, reject: h } })
    env.Backbone.sync("read", new env.Backbone.Model(), { url: "elsewhere" })
    return made
  }, 0)
  ours("options.faux tells it of every answer", async env => {
    const { HTTPError, Response } = env.faux
    const told = []
    for (const handler of [
      () => undefined, () => "404", () => "404 Not Found", () => "404 books", () => "200", () => "", () => { throw new HTTPError(400, { e: [1] }, { "X-A": "b" }) },
      () => new Response({ a: 1 }, 201, { Location: "it/1" }), () => new Response("text"), () => new Response({ e: 1 }, { status: 503 })
    ]) {
      const options = { url: "it" }
      env.faux.get("it", "it", handler)
      told.push([...await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends))), ...Object.values(options.faux)])
    }
    return told
  }, [
    ["success", undefined, 200, "OK", {}], ["error", "404", 404, "Not Found", {}], ["error", "404 Not Found", 404, "Not Found", {}], ["error", "404 books", 500, "Internal Server Error", {}],
    ["error", "200", 500, "Internal Server Error", {}], ["error", "", 500, "Internal Server Error", {}], ["error", { e: [1] }, 400, "Bad Request", { "X-A": "b" }],
    ["success", { a: 1 }, 201, "Created", { Location: "it/1" }], ["success", "text", 200, "OK", {}], ["error", { e: 1 }, 503, "Service Unavailable", {}]
  ])
  ours("options.faux is left out where the network answers", env => {
    const options = { url: "elsewhere" }
    env.Backbone.sync("read", new env.Backbone.Model(), options)
    return "faux" in options
  }, false)
  ours("a value stands for a handler, a list of functions for one after the other", async env => {
    env.faux.get("value", { a: 1 }).get("list", []).get("false", false).post("stack", [context => { context.data.order = [1] }, context => ({ order: [...context.data.order, 2] })])
    return [(await ask(env, "read", "value"))[1], (await ask(env, "read", "list"))[1], (await ask(env, "read", "false"))[1], (await ask(env, "create", "stack"))[1]]
  }, [{ a: 1 }, [], false, { order: [1, 2] }])

  ours("options.faux tells how it was answered", async env => {
    env.faux.get("good", () => ({ b: 2 })).get("bad", () => "no").get("gone", () => "410")
    const told = []
    for (const url of ["good", "bad", "gone"]) {
      const options = { url }
      await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends)))
      told.push([options.faux.status, options.faux.statusText, typeof options.faux.headers])
    }
    return told
  }, [[200, "OK", "object"], [500, "Internal Server Error", "object"], [410, "Gone", "object"]])
  ours("an HTTPError from JavaScript has its status, and hands its body over", async env => {
    env.faux.get("it", () => { throw new env.faux.HTTPError(403, { why: "secret" }) })
    const options = { url: "it" }
    const ended = await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends)))
    return [ended, options.faux.status]
  }, [["error", { why: "secret" }], 403])
  ours("a Response from JavaScript is exactly that", async env => {
    env.faux.get("it", () => new env.faux.Response("text", { status: 201, headers: { "X-Mine": "1" } }))
    const options = { url: "it" }
    const ended = await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends)))
    const headers = Object.fromEntries(Object.entries(options.faux.headers).map(([name, value]) => [name.toLowerCase(), value]))
    return [ended, options.faux.status, headers["x-mine"]]
  }, [["success", "text"], 201, "1"])

  // ---- The same by Python: routes.py

  inPython("F4 Python's routes and JavaScript's stand in one table", async env => {
    env.faux.get("py/echo/js", () => ({ by: "js" }))
    return [(await ask(env, "read", "py/echo/one"))[1].captures, await ask(env, "read", "py/echo/js"), env.faux.getRoute("echo").name]
  }, [["one"], ["success", { by: "js" }], "echo"])
  inPython("F4 the later one wins, whichever language it speaks", env => [
    env.faux.getMatchingRoute("py/echo/one", "GET").name,
    env.faux.get("over", "py/echo/:what", h).getMatchingRoute("py/echo/one", "GET").name,
    env.faux.removeRoute("over").getMatchingRoute("py/echo/one", "GET").name
  ], ["echo", "over", "echo"])
  inPython("F4 a Python handler sees the context", async env => (await ask(env, "update", "py/echo/it?q=1", {}, { a: [1, null, "ü"] }))[1], {
    captures: ["it"], data: { a: [1, null, "ü"] }, method: "PUT", override: null, params: { what: "it" }, query: { q: "1" }, route: "echo", url: "py/echo/it?q=1"
  })
  inPython("F4 under emulateHTTP too", async env => {
    const { method, override, data } = (await ask(env, "delete", "py/echo/it", { emulateHTTP: true }))[1]
    return [method, override, data]
  }, ["POST", "DELETE", null])
  inPython("F4 async def, with others under way", async env => {
    const ended = await Promise.all(["3", "1", "2"].map(n => ask(env, "read", `py/later/${n}`)))
    return ended.map(([how, value]) => [how, value.n])
  }, [["success", 3], ["success", 1], ["success", 2]])
  inPython("F4 async def that raises fails", async env => {
    const options = { url: "py/later-fails" }
    const ended = await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends)))
    return [ended, options.faux.status]
  }, [["error", "Conflict"], 409])
  inPython("F4 an unmatched capture is None, None is null, a string is a failure", async env => [
    await ask(env, "read", "py/optional"), await ask(env, "read", "py/optional/x"), await ask(env, "read", "py/nothing"), await ask(env, "read", "py/refused")
  ], [["success", { got: null }], ["success", { got: "x" }], ["success", null], ["error", "not today"]])
  inPython("F4 HTTPError hands its body over", async env => {
    const told = []
    for (const url of ["py/books/99", "py/books/none", "py/teapot"]) {
      const options = { url }
      const [how, reason] = await outcome(ends => env.Backbone.sync("read", new env.Backbone.Model(), Object.assign(options, ends)))
      told.push([how, typeof reason === "string" ? reason.split(":")[0] : reason, options.faux.status, options.faux.statusText])
    }
    return told
  }, [["error", "Not Found", 404, "Not Found"], ["error", "Not Found", 404, "Not Found"], ["error", { short: true, stout: true }, 418, "I'm a Teapot"]])
  inPython("F4 a Python route looks like any other from JavaScript", env => {
    const found = env.faux.getRoute("echo")
    return [found.httpMethod, String(found.urlExp), found.urlExp instanceof RegExp, Object.prototype.toString.call(found.handler), found.handler === env.faux.getRoute("echo").handler]
  }, ["*", "/^py\\/echo\\/([^/]+)$/", true, "[object Function]", true])
  inPython("F4 plain values, lists of handlers and Responses", async env => {
    const options = { url: "py/made" }
    const made = await outcome(ends => env.Backbone.sync("create", new env.Backbone.Model({ a: 1 }), Object.assign(options, ends)))
    return [await ask(env, "read", "py/motto"), await ask(env, "create", "py/stack"), made, options.faux.status]
  }, [["success", { text: "read more" }], ["success", { order: ["first", "second"] }], ["success", { made: { a: 1 } }], 201])
  inPython("F4 a Backbone app lives on Python routes", async env => {
    const { Backbone } = env
    const Book = Backbone.Model.extend({ urlRoot: "py/books" })
    const Books = Backbone.Collection.extend({ model: Book, url: "py/books" })
    const book = new Book({ title: "Franny" })
    await outcome(ends => book.save(null, ends))
    const id = book.id
    await outcome(ends => book.save({ title: "Zooey" }, ends))
    await outcome(ends => book.save({ year: 1961 }, { patch: true, ...ends }))
    const books = new Books()
    await outcome(ends => books.fetch(ends))
    const kept = books.get(id).toJSON()
    const gone = (await outcome(ends => book.destroy(ends)))[0]
    const [how, , reason] = await outcome(ends => new Book({ id }).fetch(ends))
    return [id, kept, gone, how, reason]
  }, [1, { id: 1, title: "Zooey", year: 1961 }, "success", "error", "Not Found"])
  inPython("F5 an awaited Python handler is cancelled", async env => {
    const promise = env.Backbone.sync("read", new env.Backbone.Model(), { url: "py/forever", error: h })
    const until = async word => {
      const [, seen] = await ask(env, "read", "py/cancelled")
      return seen[word] ? seen : until(word)
    }
    await until("begun")
    promise.abort()
    return until("cancelled")
  }, { begun: 1, cancelled: 1 })
  inPython("reset brings the table and the data back", async env => {
    await ask(env, "create", "py/books", {}, { title: "one" })
    env.faux.removeRoutes()
    await env.faux.reset()
    return [(await ask(env, "read", "py/books"))[1], env.faux.getRoute("echo") !== null]
  }, [[], true])

  /** Run the table here; returns [name, what came, what should have come] for every case. */
  window.runCases = async ({ original = null, only = null } = {}) => {
    const Backbone = window.Backbone
    const native = window.nativeSync
    const results = []
    const source = original && (await (await fetch(original)).text())
    const version = window.jQuery ? parseInt(window.jQuery.fn.jquery, 10) : 0
    for (const { name, run, expected, original: originally, kind: its } of cases) {
      if (original && originally === undefined) continue
      if (only && !name.includes(only)) continue
      const env = {
        Backbone, native, _: window._, $: Backbone.$, jquery: version, ownAjax: Backbone.ajax,
        ajax: [], xhr: { abort: h }, errors: [], expectErrors: () => { expectsErrors = true }
      }
      let expectsErrors = false
      if (original) {
        Backbone.sync = native
        ;(0, eval)(source)
        env.faux = window.fauxServer
      } else {
        env.faux = window.fauxServer
        await env.faux.reset()
        if (its !== "python") env.faux.removeRoutes()
        env.faux.setDefaultHandler().setLatency().setTransportFactory().enable(true)
      }
      Backbone.ajax = params => { env.ajax.push(params); return env.xhr }
      const heard = event => {
        env.errors.push(event.message || String(event.reason))
        if (expectsErrors) event.preventDefault()
      }
      window.addEventListener("error", heard)
      window.addEventListener("unhandledrejection", heard)
      let actual
      try {
        actual = show(await Promise.race([run(env), new Promise((resolve, reject) => env_setTimeout(reject, 3000, new Error("no end in 3 s")))]))
      } catch (error) {
        actual = `threw ${error && error.stack || error}`
      }
      if (env.errors.length && !expectsErrors) actual += ` and uncaught: ${env.errors.join("; ")}`
      window.removeEventListener("error", heard)
      window.removeEventListener("unhandledrejection", heard)
      Backbone.ajax = env.ownAjax
      Backbone.$ = env.$
      Backbone.emulateHTTP = Backbone.emulateJSON = false
      const wanted = original && originally !== SAME ? originally : expected
      results.push([name, actual, show(typeof wanted === "function" ? wanted(env) : wanted)])
    }
    return results
  }

  window.caseNames = kinds => cases.filter(it => kinds.includes(it.kind)).map(it => it.name)
})()
