// What the page sees: the `fauxServer` global, the AMD and CommonJS module, and the ES module's `start()`.

/** A handler's request. `data` is what Backbone sends; `route` is a copy, with what its expression has captured. */
export interface Context {
  data: any
  url: string
  httpMethod: string
  /** The method that is meant, where `Backbone.emulateHTTP` lets it go as POST. */
  httpMethodOverride?: string
  route: Route & { handlerParams: (string | undefined)[] }
  /** What a client of HTTP sent (`fetch`, `XMLHttpRequest`, `EventSource`), names in lower case; not there for `Backbone.sync`. */
  headers?: Record<string, string>
  /** Its body as it was sent. `data` is that, read by its content type. */
  body?: string | Uint8Array
  /** The url's query, decoded; a name that is there more than once has a list. */
  readonly query: Record<string, string | string[]>
}

/** A string returned is a failure, anything else a success; a promise is awaited. */
export type Handler = (context: Context, ...captures: (string | undefined)[]) => any

/** A function, a list of them (each in turn, the last one's result counts), or a value that is the answer. */
export type Answer = Handler | Handler[] | object | number | boolean

export interface Route {
  name: string
  urlExp: RegExp
  httpMethod: string
  handler: any
}

export interface RouteDefinition {
  name?: string
  urlExp: string | RegExp
  httpMethod?: string
  handler?: Answer
}

export interface Transport {
  promise(): any
  resolve(value: any): void
  reject(reason: any): void
}

/** What a transport factory with a third parameter is given. */
export interface Surroundings {
  /** `Backbone.$`, as it is now. */
  $: any
  /** Forget the request: a handler that has not begun is not run. */
  cancel(): void
}

export type TransportFactory = (options: any, context: Context, surroundings: Surroundings) => Transport

/** Throw it in a handler: the request fails with this status, and its callbacks get the body. */
export class HTTPError extends Error {
  constructor(status: number, body?: any, headers?: Record<string, string>)
  status: number
  body: any
  headers: Record<string, string>
}

/** Return it from a handler: exactly this body, status and headers. */
export class Response {
  constructor(body?: any, init?: number | { status?: number; headers?: Record<string, string> }, headers?: Record<string, string>)
  body: any
  status: number
  headers: Record<string, string>
}

/** How a request was answered; on the options of every sync, when its callbacks are called. */
export interface Faux {
  status: number
  statusText: string
  headers: Record<string, string>
}

/** A mistake in a route file or in a handler. */
export interface Fault {
  message: string
  /** The route file, or the one beside it, as an address from the page's origin. */
  file?: string
  line?: number
  /** The text of that line. */
  source?: string
  traceback?: string
  cause?: unknown
  /** Whether all that is wrong is that a synchronous request cannot wait for the handler. */
  asynchronous?: boolean
}

/** A request that was answered, in the words of Python's journal. */
export interface Answered {
  method: string
  url: string
  /** What was sent. */
  data: any
  /** What came back. */
  body: any
  /** Whether the error callback got it. */
  failed: boolean
  status: number
  statusText: string
  headers: Record<string, string>
  /** How long the handler took, in milliseconds. */
  duration: number
  /** The latency before it, in milliseconds. */
  delay: number
  /** The route's name. */
  route: string
  /** The handler's name. */
  label: string
  /** Where the route was added: `routes.py:12`. */
  location: string
  /** What is wrong in the handler, if it raised what is no HTTPError. */
  error?: Fault
}

/** What `fauxServer.on` can hear, and what a listener is given. */
export interface Happenings {
  /** A request was answered here. */
  answer: (answered: Answered) => void
  /** It was switched on or off, by whomever. */
  enable: (enabled: boolean) => void
  /** `setLatency` was called. */
  latency: (min?: number | Function, max?: number) => void
  /** All is as it was when it became ready. */
  reset: () => void
}

/**
 * `"bypass"`: to the network, in silence. `"warn"`: to the network, and the console says which routes are near. `"error"`: fails as if
 * there were no network. A function leaves it to the others by returning nothing.
 */
export type UnmatchedPolicy =
  | "bypass"
  | "warn"
  | "error"
  | ((request: { method: string; url: string; door: Intercepted }) => "bypass" | "warn" | "error" | null | undefined | void)

interface AddRoute {
  (urlExp: string | RegExp, handler?: Answer): FauxServer
  (urlExp: string | RegExp, httpMethod: string, handler?: Answer): FauxServer
  (name: string | undefined, urlExp: string | RegExp, handler?: Answer): FauxServer
  (name: string | undefined, urlExp: string | RegExp, httpMethod?: string, handler?: Answer | null): FauxServer
}

interface AddRouteForMethod {
  (urlExp: string | RegExp, handler?: Answer): FauxServer
  (name: string | undefined, urlExp: string | RegExp, handler?: Answer): FauxServer
}

/** How a local call was answered. */
export interface LocalAnswer {
  /** Whether the error callback got it. */
  failed: boolean
  body: any
  status: number
  statusText: string
  headers: Record<string, string>
}

/** What `this` is in a callback, and in those that a local call is answered to. */
export interface CallScope {
  app: any
  /** The request, as Express names its parts. What else one callback of a stack puts on it, the next one finds. */
  req: any
  res: { statusCode: number; headers: Record<string, string>; set(name: string, value: string): any }
}

export interface CallOptions {
  success?: (this: CallScope, body: any, status: number) => void
  error?: (this: CallScope, body: any, status: number) => void
}

/**
 * Calls `success(result, status)` or `error(reason)`, at once or later. The values are what the url's pattern captures, then the data
 * and, if the url has one, the query.
 */
export type Callback = (
  this: CallScope,
  success: (result?: any, status?: any) => void,
  error: (reason?: any) => void,
  ...values: any[]
) => void

/** One callback, or a stack of them: `success` goes on to the next, `error` ends it, and the last one's result counts. */
export type Callbacks = Callback | Callback[]

interface AddCallbacks {
  /** A pattern of Express's, a list of them, or a RegExp. The same one again replaces the route. */
  (url: string | string[] | RegExp, callbacks: Callbacks): APIAdapter
  /** Several at once: the keys are patterns. */
  (callbacks: Record<string, Callbacks>): APIAdapter
}

/** Routes in Barefoot's manner: callbacks, Express's patterns, and the first that matches answers. */
export interface APIAdapter extends Record<
  | "checkout" | "connect" | "copy" | "del" | "delete" | "get" | "head" | "lock" | "m-search" | "merge" | "mkactivity" | "mkcol" | "move"
  | "notify" | "options" | "patch" | "post" | "propfind" | "proppatch" | "put" | "report" | "search" | "subscribe" | "trace" | "unlock"
  | "unsubscribe",
  AddCallbacks
> {
  /** `fauxServer.dispatch`, for its own routes alone. */
  dispatch(method: string, url: string, data?: any, options?: CallOptions): Promise<LocalAnswer>
  /** The same under its old name: it gives nothing back, and a callback that is missing is told on the console. */
  dispatchLocalApiCall(method: string, url: string, data?: any, options?: CallOptions): void
}

export interface APIAdapterSettings {
  /** `this.app` in the callbacks; without it, the adapter. */
  app?: any
  /** Which of several routes that match answers: the one added first, or the latest. */
  precedence?: "first" | "latest"
  /** Whether upper and lower case differ in a url. */
  sensitive?: boolean
  /** Whether a slash at the end of a url counts. */
  strict?: boolean
  /** Give equal arguments once, and a list as its values, as the original did. */
  collapse?: boolean
}

/** Objects by name, which survive a snapshot as what they were: written in Python or here, restored there or here. */
export interface DataStore {
  /** The name is the same on both sides. By default `toJSON()` writes an object, and the constructor reads one. */
  register<T>(name: string, Type: new (data: any) => T, how?: { write?: (value: T) => any; read?: (data: any) => T }): DataStore
  set(name: string, value: any): DataStore
  get(name: string): any
  remove(name: string): DataStore
  keys(): string[]
  /** All of it, as JSON that may stand in a script element. */
  snapshot(): string
  /** Keep what a snapshot holds, or the element that holds one; by default the one with the id `data-store`. */
  restore(snapshot?: string | { textContent: string | null }): DataStore
}

/** An error with a status of its own. */
export interface APIError extends Error {
  httpStatusCode: number
}

export interface FauxServer {
  /** Settles when the runtime is there, the page's Python has run, and what was called and requested meanwhile is on its way. */
  readonly ready: Promise<FauxServer>
  /** How the runtime was started; undefined until it is. */
  readonly boot: "snapshot" | "plain" | undefined
  /** The folder of the runtime's files. */
  runtime: string | undefined

  addRoute: AddRoute
  get: AddRouteForMethod
  post: AddRouteForMethod
  put: AddRouteForMethod
  patch: AddRouteForMethod
  del: AddRouteForMethod
  /** Keys of a hash are the routes' names. */
  addRoutes(routes?: Record<string, RouteDefinition> | RouteDefinition[]): FauxServer
  removeRoute(name: string): FauxServer
  removeRoutes(): FauxServer
  getRoute(name: string): Route | null
  getRouteAt(index: number): Route | null
  getMatchingRoute(url: string, httpMethod?: string): (Route & { handlerParams: (string | undefined)[] }) | null
  /** Answers what no route does; without an argument the network does again. */
  setDefaultHandler(handler?: Handler): FauxServer
  /** In milliseconds: none, a fixed one, one between two, or a function that gets what the handler gets. */
  setLatency(min?: number | ((context: Context, ...captures: (string | undefined)[]) => number), max?: number): FauxServer
  /**
   * What becomes of requests that no route answers, of all of them or of those whose url begins with a prefix; the longest one counts.
   * By default a fetch, an XHR or an EventSource whose path begins as a route's does is warned of. Without a policy that is so again.
   */
  setUnmatched(policy?: UnmatchedPolicy | null): FauxServer
  setUnmatched(prefix: string | null | undefined, policy?: UnmatchedPolicy | null): FauxServer
  setTransportFactory(factory?: TransportFactory): FauxServer
  /** `enable(false)`: the real server again. */
  enable(shouldEnable?: boolean): FauxServer
  /** Whether it answers. */
  readonly enabled: boolean
  getVersion(): string

  /**
   * Answer what goes through these, too: `intercept("fetch", "xhr")`. Gives back what ends it. What no route wants goes to the network,
   * as if we were not there.
   */
  intercept(...words: Intercepted[]): () => void
  /**
   * Answer what this Backbone syncs. Gives back what undoes it. With `local`, the answer is there before `save()` or `fetch()` returns,
   * without latency, unless the handler takes its time.
   */
  install(Backbone?: any, options?: { local?: boolean }): () => void
  /** Call a route from here: no latency, the url matched as given. A handler that does not wait has answered when this returns. */
  dispatch(method: string, url: string, data?: any, options?: CallOptions): Promise<LocalAnswer>
  /** A handler for any route, made of one callback, or of a stack of them. */
  callback(...steps: Callback[]): Handler
  APIAdapter: new (settings?: APIAdapterSettings) => APIAdapter
  DataStore: new () => DataStore
  errors: {
    createError(httpStatusCode: number, name: string): new (message?: string) => APIError
    NotFoundError: new (message?: string) => APIError
  }
  /** Give one Backbone, or all of them, their own sync back. */
  uninstall(Backbone?: any): FauxServer
  /** Back to what the server was when it became ready: routes, settings, and the data of the route files. */
  reset(): FauxServer
  /**
   * Load a route file; one that was loaded before keeps its data. In Node a string is a path, and a relative one begins where Node
   * was started. With *source*, its text is that, and nothing is asked for at the address. What is wrong in it rejects with an
   * Error whose `fault` says where, and the routes stay as they were.
   */
  load(url: string | URL, source?: string): Promise<FauxServer>
  /** Call *listener* whenever it happens. Gives back what ends it. */
  on<Name extends keyof Happenings>(name: Name, listener: Happenings[Name]): () => void
  /** Run Python code, with the page's server as `server`. Gives the value of a last expression. */
  runPython(code: string): Promise<any>
  /** Only on the global: gives the name back to who had it before. */
  noConflict?(): FauxServer

  HTTPError: typeof HTTPError
  Response: typeof Response
  /** For `setTransportFactory`: what sync returns is like jQuery's jqXHR, and so is `options.xhr`. */
  jqXHRTransport: TransportFactory
}

/** What there is to intercept: `Backbone.sync`, `fetch`, `XMLHttpRequest`, `EventSource`. */
export type Intercepted = "sync" | "fetch" | "xhr" | "eventsource"

export interface StartOptions {
  /** Addresses of route files, in Node their paths; by default the page's Python script tags. */
  routes?: string | URL | (string | URL)[]
  /** What to answer: `["fetch", "xhr"]`, or `{ Backbone, fetch: true }`. By default what the global Backbone syncs. */
  intercept?: Intercepted | Intercepted[] | ({ Backbone?: any } & { [Word in Intercepted]?: boolean })
  /** What becomes of requests that no route answers; see `setUnmatched`. */
  unmatched?: UnmatchedPolicy
  /** The folder of the runtime's files; a bundler's output has to name it. */
  runtime?: string
  /** The address that the page's server stands for. */
  base?: string
  /** Errors on the console only. */
  quiet?: boolean
  /** Load a route file again when it was saved. */
  reload?: boolean
  /** Whether test runners wait for the server. */
  hold?: boolean
}

/** Boot, and answer the page's requests. Gives back what ends it. Importing this module alone does nothing. */
export function start(options?: StartOptions): Promise<(() => void) & { fauxServer: FauxServer }>

export const jqXHRTransport: TransportFactory

declare global {
  const fauxServer: FauxServer
}
