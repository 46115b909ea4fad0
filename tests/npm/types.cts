// The same for an app that requires us. Compiled, never run.
import fauxServer = require("fauxserver")
import Backbone = require("backbone")

fauxServer.load("routes.py").then((server: fauxServer.FauxServer) => server.getVersion())
fauxServer.install(Backbone)

const handler: fauxServer.Handler = (context) => ({ url: context.url })
const definition: fauxServer.RouteDefinition = { urlExp: "books/:id", handler }
fauxServer.addRoutes([definition]).get("books", () => new fauxServer.Response([], 200))
fauxServer.setTransportFactory(fauxServer.jqXHRTransport).setDefaultHandler(() => { throw new fauxServer.HTTPError(404) })

// @ts-expect-error: what is required has started by itself
fauxServer.start()
// @ts-expect-error: there is no such method
fauxServer.route("books")
