// The route file of Barefoot's cases (tests/hosts/barefoot.py), as JavaScript has it.

let contacts
function begin() {
  contacts = { 1: { name: "Franny" }, 2: { name: "Zooey" } }
}
begin()

const { createError, NotFoundError } = fauxServer.errors
const ForbiddenError = createError(403, "Forbidden")
const app = { name: "the app" }
const api = new fauxServer.APIAdapter({ app })

function readContact(success, error, contactid) {
  if (contacts[contactid]) success(contacts[contactid])
  else error(new NotFoundError(`no contact ${contactid}`))
}

// What is undefined has no place in JSON.
function echo(success, error, ...args) {
  success(args.map((each) => each ?? null))
}

function throws() {
  throw Object.assign(new Error(), { httpStatusCode: 418, toString: () => "short and stout" })
}

const later = (task) => setTimeout(task, 0)

api
  .get("/contacts", (success) => success(Object.values(contacts)))
  .post("/contacts", (success, error, data) => {
    contacts[Object.keys(contacts).length + 1] = data
    success({ ...data, id: Object.keys(contacts).length }, 201)
  })
  .get("/contacts/:contactid", readContact)
  .get({ "/named": echo, "/named/:a/:b": echo, "/optional/:a?": echo, "/digits/:id(\\d+)": echo, "/splat/*": echo })
  .post({ "/named": echo, "/named/:a/:b": echo })
  .get("/suffix/:file.:format?", echo)
  .get(["/one/:x", "/other/:x"], echo)
  .put("/stack", [
    function allowed(success, error, data) {
      if (data.card) success("this is discarded", 418)
      else error(new ForbiddenError("no card"))
    },
    function note(success) {
      this.req.noted = true
      later(success)
    },
    function noted(success, error, data) {
      success([data, this.req.noted])
    },
  ])
  .get("/empty", [])
  .get("/nothing", (success) => success())
  .get("/text", (success) => success("a text"))
  .get("/status", (success) => success({ accepted: true }, 202))
  .get("/error", (success, error) => error("it did not work"))
  .get("/error/none", (success, error) => error())
  .get("/returns", (success) => success([1]) ?? "what it returns")
  .get("/throws", throws)
  .get("/later/:id", (success, error, id) => later(() => success({ id, later: true })))
  .get("/later/error/:id", async (success, error, id) => {
    await null
    throw new NotFoundError(id)
  })
  .patch("/scope/:id", function scope(success) {
    const { app, req, res } = this
    res.set("x-by", "scope")
    success([app, req.method, req.path, req.params, req.query, req.body])
  })
  .get("/first/:any", (success) => success("first"))
  .get("/first/second", (success) => success("second"))
for (const verb of ["get", "post", "put", "patch", "del", "options", "propfind", "report"]) {
  api[verb]("/myroute", function it(success) {
    success([this.req.method])
  })
}
