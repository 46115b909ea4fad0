// The Python side of the crossing, as far as the bridge's tests need it: a table of routes and its answers.
// A "Python handler" is a JavaScript function here that takes ({ data, url, params }) and gives back a Response-like.

const escaped = (text) => text.replace(/[-{}[\]+?.,\\^$|#\s]/g, "\\$&")

const sourceOf = (expression) =>
  "^" + escaped(expression).replace(/\((.*?)\)/g, "(?:$1)?").replace(/(\(\?)?:\w+/g, (all, option) => (option ? all : "([^/]+)")).replace(/\*\w+/g, "(.*?)") + "$"

/**
 * @param {object} [options]
 * @param {any[]} [options.log]  Every crossing of the hot path, as it is made.
 */
export function createFakePage({ log = [] } = {}) {
  let routes = []
  let lastRow = 0
  let lastId = 0
  let lastName = 0
  let latency = [0, 0]
  let latencyRef
  let factory
  let enabled = true
  let fallback
  const policies = []
  let callbacks
  let beginning
  const exchanges = new Map()
  const met = new Map()
  const dropped = []
  const done = []
  const transported = []

  const ok = (value = {}) => JSON.stringify(value)
  const told = (route) => route
    ? ok({ row: route.row, name: route.name, urlExp: route.source, query: false, httpMethod: route.httpMethod, ref: route.ref ?? null, label: route.label ?? "", location: route.location ?? "" })
    : "null"

  function add(route) {
    lastRow += 1
    const name = route.name ?? `${route.httpMethod}_/${route.source[0]}/${route.source[1]}_${(lastName += 1)}`
    const added = { ...route, row: lastRow, name }
    const at = routes.findIndex((each) => each.name === name)
    if (at < 0) routes.push(added)
    else routes[at] = added
    return added
  }

  function match(method, url, hits) {
    const path = url.replace(/[?#].*$/s, "")
    const fitting = routes.filter((route) =>
      route.foreign ? hits.split(",").includes(String(route.row)) : new RegExp(...route.source).test(path))
    return fitting.findLast((route) => route.httpMethod === method) ?? fitting.findLast((route) => route.httpMethod === "*")
  }

  const page = {
    accept(method, url, override, hits) {
      log.push("accept")
      const route = enabled ? match(method, url, hits) ?? fallback : undefined
      if (!route) return undefined
      lastId += 1
      exchanges.set(String(lastId), { method, url, override, route })
      met.set(route.row, route)
      const delay = latencyRef ? `j${latencyRef}` : latency[0] < 0 ? 0 : latency[0] + Math.random() * (latency[1] - latency[0])
      return `${lastId} ${route.ref === undefined ? "" : "j"}${route.row} ${delay}${factory ? ` ${factory}` : ""}`
    },
    delay: () => 0,
    captures: () => "[]",
    answer(id, json, atOnce) {
      log.push("answer")
      const { url, route } = exchanges.get(id)
      exchanges.delete(id)
      const result = route.python({ data: json === undefined ? undefined : JSON.parse(json), url, id })
      if (result?.later) {
        if (atOnce) return `=${JSON.stringify({ status: 500, reason: "Internal Server Error", headers: {}, failed: true, body: `${route.label} has to wait` })}`
        result.later((value) => callbacks.settle(id, `+${JSON.stringify(value)}`))
        return "~"
      }
      return result?.status ? `=${JSON.stringify(result)}` : `+${JSON.stringify(result ?? null)}`
    },
    done(...args) {
      log.push("done")
      exchanges.delete(args[0])
      done.push(args)
    },
    drop(id) {
      exchanges.delete(id)
      dropped.push(id)
    },
    describe: (row) => told(met.get(row)),
    live_rows: () => ok(routes.map(({ row }) => row)),
    add_route(json) {
      const { name, httpMethod, ref, expression, regexp } = JSON.parse(json)
      if (expression !== undefined && expression.split("(").length !== expression.split(")").length) {
        return ok({ error: { type: "SyntaxError", message: `Unbalanced parentheses in '${expression}'` } })
      }
      return ok({ row: add({ name, httpMethod, ref, foreign: Boolean(regexp), source: regexp ?? [sourceOf(expression), ""] }).row })
    },
    remove_route(name) {
      routes = routes.filter((each) => each.name !== name)
      return ok()
    },
    remove_routes() {
      routes = []
      return ok()
    },
    get_route: (name) => told(routes.find((each) => each.name === name)),
    get_route_at: (index) => told(routes[index]),
    get_matching_route: (url, method, hits) => told(match(method, url, hits)),
    call: (row, json) => ok({ value: routes.find((each) => each.row === row).python(JSON.parse(json)) }),
    set_default_handler(ref) {
      fallback = ref === undefined ? undefined : { row: (lastRow += 1), name: "", source: "", httpMethod: "*", ref }
      return ok()
    },
    set_latency(ref, low, high) {
      latencyRef = ref
      latency = [low ?? 0, high ?? 0]
      return ok()
    },
    /** Policies in the order they were set, the last one first; a prefix is one of the url as it is given. */
    set_unmatched(prefix, word, ref) {
      policies.unshift({ prefix: prefix ?? "", word: ref === undefined ? word : `j${ref}` })
      return ok()
    },
    unmatched(method, url, door, base, after) {
      const fitting = policies.filter(({ prefix }) => url.startsWith(prefix)).slice(after)
      const word = fitting[0]?.word
      if (word?.startsWith("j")) return `${word} ${after + 1}`
      return word === "bypass" ? undefined : word
    },
    explain: (method, url, hits, base) => `${method} ${url} is not answered here.${base ? ` Below ${base}.` : ""}${hits ? ` Hits: ${hits}.` : ""}`,
    set_transport_factory(ref) {
      factory = ref
      return ok()
    },
    /** As if a route file had set one. */
    python_factory() {
      factory = "p"
    },
    enable(flag) {
      enabled = flag
      callbacks.enabled(flag)
      return ok()
    },
    ready() {
      beginning = routes.slice()
      return ok()
    },
    reset() {
      routes = (beginning ?? []).slice()
      exchanges.clear()
      return ok()
    },
    metadata: () => ok({ dependencies: [], files: [] }),
    load: () => ok(),
    wrote: () => {},
    set_base: () => ok(),
    transport: () => "from Python",
    resolve: (id, json) => transported.push(["resolve", json]),
    reject: (id, json) => transported.push(["reject", json]),
    run_python: (code) => ok({ value: code }),
    write: () => {},
  }

  return {
    connect(given) {
      callbacks = given
      return page
    },
    page,
    exchanges,
    dropped,
    done,
    transported,
    log,
    callbacks: () => callbacks,
    /** A route as Python would add it. */
    python(httpMethod, expression, python, { name, label = python.name } = {}) {
      return add({ name, httpMethod, python, label, location: "routes.py:1", source: [sourceOf(expression), ""] })
    },
  }
}
