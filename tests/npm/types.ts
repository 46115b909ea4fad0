// What an app written in TypeScript does with us, and what it is kept from doing. Compiled, never run.
import type { Answer, Context, Fault, Faux, FauxServer, Handler, Route, RouteDefinition, StartOptions, TransportFactory } from "fauxserver"
import { HTTPError, jqXHRTransport, Response, start } from "fauxserver"
import Backbone from "backbone"

const options: StartOptions = { routes: ["routes.py", new URL("more.py", "file:///")], intercept: { Backbone }, runtime: "/fauxserver/" }
const stop = await start(options)
const server: FauxServer = stop.fauxServer
stop()
await start()
await start({ routes: "routes.py", quiet: true, reload: false, hold: false, base: "https://api.example.com/", unmatched: "warn" })

const list: Handler = (context) => [{ id: 1, url: context.url }]
const one = (context: Context, id?: string) => ({ id: Number(id), asked: context.query["q"], sent: context.data.title })
const answers: Answer[] = [list, [list, one], { id: 1 }, 7, true, []]

server
  .get("books/:id", one)
  .get("a name", /^books\/(\d+)$/, one)
  .post("books", async () => new Response({ id: 1 }, 201))
  .put("books/:id", () => new Response(null, { status: 204, headers: { etag: "1" } }))
  .patch("books/:id", [list, one])
  .del("books/:id", () => { throw new HTTPError(404, { message: "No such book" }) })
  .addRoute("any", "library-app/*rest", "*", () => "404 Not Found")
  .addRoutes({ authors: { urlExp: "authors", handler: list } })
  .addRoutes([{ urlExp: /^x$/ }])
  .removeRoute("authors")
  .setLatency()
  .setLatency(50, 200)
  .setLatency((context) => (context.httpMethod === "GET" ? 20 : 400))
  .setDefaultHandler(() => "404")
  .setTransportFactory(jqXHRTransport)
  .setUnmatched("error")
  .setUnmatched("api/", ({ url, door }) => (url.endsWith("live") && door === "fetch" ? "bypass" : undefined))
  .setUnmatched("api/", null)
  .enable(false)
  .reset()
const definition: RouteDefinition = { urlExp: "books" }
server.addRoutes([definition])

const factory: TransportFactory = (options, context, { $, cancel }) => ({
  promise: () => $.Deferred(),
  resolve: (value) => options.success(value, context.url),
  reject: () => cancel(),
})
server.setTransportFactory(factory)

const uninstall: () => void = server.install(Backbone)
uninstall()
server.uninstall(Backbone).uninstall()
const ready: FauxServer = await server.ready
const booted: "snapshot" | "plain" | undefined = ready.boot
const found: Route | null = server.getRoute("authors") ?? server.getRouteAt(0)
const captured: (string | undefined)[] | undefined = server.getMatchingRoute("books/1", "GET")?.handlerParams
const loaded: FauxServer = await server.load("routes.py")
await server.load(new URL("routes.py", "file:///"))
await server.load("routes.py", "from fauxserver import FauxServer").catch(({ fault }: { fault: Fault }) => fault.line)
const off: () => void = server.on("answer", ({ url, delay, error }) => error?.message ?? `${url} ${delay + 1}`)
off()
server.on("enable", (enabled) => enabled === server.enabled)
server.on("reset", () => {})
const value = await server.runPython("1 + 1")
const told = (faux: Faux) => `${faux.status} ${faux.statusText} ${faux.headers["content-type"]}`

// The global, of pages that load us with a script tag.
fauxServer.noConflict?.().getVersion()
const error = new fauxServer.HTTPError(404)
const status: number = error.status

export { answers, booted, captured, found, loaded, status, told, value }

// @ts-expect-error: a latency is in milliseconds
server.setLatency("50")
// @ts-expect-error: there is no such policy
server.setUnmatched("api/", "silence")
// @ts-expect-error: there is no such option
await start({ route: "routes.py" })
// @ts-expect-error: nothing of that name can be heard
server.on("answered", () => {})
// @ts-expect-error: the route file is named
server.load()
// @ts-expect-error: an expression is a string or a RegExp
server.get(7, list)
// @ts-expect-error: a status is a number
throw new HTTPError("404")
// @ts-expect-error: boot is for reading
server.boot = "plain"
// @ts-expect-error: the module has nothing of that name
import { fauxserver } from "fauxserver"
// Barefoot's manner: callbacks, local calls, and what a page starts with.

const api = new fauxServer.APIAdapter({ app: {}, precedence: "latest", strict: true })
api
  .get("/contacts/:id", function (success, error, id) {
    if (id) success([this.app, this.req.params], 201)
    else error(new fauxServer.errors.NotFoundError("gone"))
  })
  .post({ "/contacts": [(success) => success(), (success, _error, data) => success(data)] })
  ["m-search"](["/a", "/b"], [])
  .del(/^\/c/, (success) => success())
// @ts-expect-error A number is no pattern.
api.get(7, () => {})

async function call() {
  const { status, body, failed }: { status: number; body: any; failed: boolean } = await fauxServer.dispatch("GET", "/contacts/7")
  api.dispatchLocalApiCall("post", "/contacts", { name: "Franny" }, { success(body, status) { this.res.headers; return [body, status] } })
  return [status, body, failed]
}

class Contact {
  constructor(public data: { name: string }) {}
}
const store = new fauxServer.DataStore().register("Contact", Contact, { write: (contact) => contact.data })
store.restore().restore("{}").set("me", new Contact({ name: "Franny" })).snapshot().length
const Taken = fauxServer.errors.createError(409, "Taken")
new Taken("by you").httpStatusCode.toFixed()
fauxServer.install(undefined, { local: true })()
fauxServer.get("books/:id", fauxServer.callback((success) => success(), (success, error, id) => (id ? success(id) : error())))
void call

// @ts-expect-error: the module has no default; `require` gives the server itself
import server2 from "fauxserver"
