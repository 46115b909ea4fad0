// The Reading Room: a library's catalogue, written with Backbone.

// Markup, its values escaped; a list among them is markup already. (Underscore's templates need eval, which a strict
// Content-Security-Policy refuses.)
const html = ({ raw }, ...values) =>
  String.raw({ raw }, ...values.map(value => (Array.isArray(value) ? value.join("") : _.escape(value))))

// What went wrong, in a sentence.
const explain = xhr =>
  (xhr.responseJSON && xhr.responseJSON.message) || `The library does not answer (${xhr.status || "no connection"}).`

// Models

const Book = Backbone.Model.extend({
  urlRoot: "library-app/books",
  defaults: { title: "", author: "", year: "", shelf: "" },
})

const Books = Backbone.Collection.extend({
  model: Book,

  words: "",

  url() {
    return "library-app/books" + (this.words ? `?q=${encodeURIComponent(this.words)}` : "")
  },

  // Only the last search counts: one that is still under way is given up.
  search(words) {
    if (this.request && this.request.abort) this.request.abort()
    this.words = words
    const request = (this.request = this.fetch({
      reset: true,
      error: (books, xhr) => {
        if (request === this.request && xhr.statusText !== "abort") this.trigger("unavailable", xhr)
      },
    }))
  },
})

const Shelves = Backbone.Collection.extend({ url: "library-app/shelves" })

const Motto = Backbone.Model.extend({ url: "library-app/motto" })

// A book's picture: bytes, which are none of Backbone's business.
const Cover = Backbone.Model.extend({
  // Where the page has it, and whether somebody has given it; the others are the binder's.
  defaults: { src: null, given: false },

  initialize(attributes, { book }) {
    this.url = () => `${book.url()}/cover`
  },

  async fetch() {
    this.giveUp()
    const { signal } = (this.request = new AbortController())
    try {
      const response = await fetch(this.url(), { signal })
      const picture = await response.blob()
      if (response.ok && !signal.aborted) this.show(picture, response.headers.get("x-cover") !== "drawn")
    } catch {
      // Then the book stays in its cloth.
    }
  },

  send(picture, { progress, error, complete }) {
    const form = new FormData()
    form.append("picture", picture)
    const xhr = new XMLHttpRequest()
    xhr.open("PUT", this.url())
    xhr.responseType = "json"
    xhr.upload.onprogress = ({ loaded, total }) => progress(loaded / total)
    xhr.onload = () => (xhr.status < 400 ? this.fetch() : error({ status: xhr.status, responseJSON: xhr.response }))
    xhr.onerror = () => error({ status: 0 })
    xhr.onloadend = complete
    xhr.send(form)
  },

  show(picture, given) {
    const before = this.get("src")
    this.set({ src: picture && URL.createObjectURL(picture), given })
    if (before) URL.revokeObjectURL(before)
  },

  giveUp() {
    if (this.request) this.request.abort()
  },

  close() {
    this.giveUp()
    this.show(null, false)
  },
})

// What becomes of the books, by whomever: `added`, `changed`, `covered` or `removed`, with the book.
const news = _.extend({
  listen() {
    // One that was refused does not ask again.
    if (this.source && this.source.readyState !== EventSource.CLOSED) return
    this.source = new EventSource("library-app/news")
    for (const name of ["added", "changed", "covered", "removed"]) {
      this.source.addEventListener(name, ({ data }) => this.trigger(name, JSON.parse(data)))
    }
  },
}, Backbone.Events)

// Views

const MottoView = Backbone.View.extend({
  el: "#motto",

  initialize() {
    this.listenTo(this.model, "change", () => this.$el.text(this.model.get("text")))
  },
})

const SearchView = Backbone.View.extend({
  el: "#search",

  events: { input: "search", submit: "submit" },

  initialize() {
    this.navigate = _.debounce(() => {
      const words = this.$("input").val().trim()
      router.navigate(words ? `search/${encodeURIComponent(words)}` : "", { trigger: true, replace: true })
    }, 150)
  },

  search() {
    this.navigate()
  },

  submit(event) {
    event.preventDefault()
    this.navigate()
  },

  show(words) {
    const input = this.$("input")
    if (input.val().trim() !== words) input.val(words)
  },
})

const ShelvesView = Backbone.View.extend({
  el: "#shelves",

  initialize() {
    this.listenTo(this.collection, "sync", this.render)
    this.listenTo(this.model, "select", this.select)
  },

  render() {
    const links = this.collection.map(shelf =>
      $("<a>", { href: `#search/${encodeURIComponent(shelf.get("name"))}`, text: shelf.get("name"), "data-shelf": shelf.get("name") }))
    this.$el.empty().append($("<a>", { href: "#", text: "All" }), links)
    this.select()
  },

  select(words = books.words) {
    this.$("a").each((i, link) => {
      const current = $(link).text() === (words || "All")
      $(link).attr("aria-current", current ? "true" : null)
    })
  },
})

const BookView = Backbone.View.extend({
  tagName: "li",

  template: ({ id, title, author, year, shelf }) => html`
    <a href="#books/${id}" data-shelf="${shelf}" data-cover="${id % 5}">
      <span class="title">${title}</span>
      <span class="author">${author}</span>
      <span class="year">${year}</span>
    </a>`,

  initialize() {
    this.listenTo(this.model, "change", this.render)
    this.listenTo(this.model, "remove", this.remove)
  },

  render() {
    this.$el.html(this.template(this.model.toJSON()))
    return this
  },
})

const CatalogueView = Backbone.View.extend({
  el: "#catalogue",

  problem: text => html`
    <p class="failure" role="alert">${text}</p>
    <p class="actions"><button type="button" class="button again">Try again</button></p>`,

  events: { "click .again": "again" },

  initialize() {
    this.listenTo(this.collection, "request", (collection) => {
      if (collection === this.collection) this.$el.attr("aria-busy", "true")
    })
    this.listenTo(this.collection, "reset sort", this.render)
    this.listenTo(this.collection, "update", this.count)
    this.listenTo(this.collection, "unavailable", this.fail)
  },

  render() {
    this.$el.attr("aria-busy", "false")
    const items = this.collection.map(book => new BookView({ model: book }).render().el)
    const focused = this.$("#list :focus").attr("href")
    this.$("#list").html($("<ul>").append(items))
    if (focused) this.$(`a[href="${focused}"]`)[0]?.focus({ preventScroll: true })
    this.count()
  },

  count() {
    const number = this.collection.length
    const words = this.collection.words
    const text = `${number || "No"} ${number === 1 ? "book" : "books"}${words ? ` for “${words}”` : ""}`
    this.$("#count").text(text)
  },

  fail(xhr) {
    this.$el.attr("aria-busy", "false")
    this.$("#count").text("")
    this.$("#list").html(this.problem(`The catalogue cannot be shown. ${explain(xhr)}`))
  },

  again() {
    this.collection.search(this.collection.words)
  },
})

// What lies on the desk beside the catalogue: a book, or a form.
const DeskView = Backbone.View.extend({
  el: "#desk",

  show(view) {
    if (this.view) this.view.remove()
    this.view = view
    this.$el.append(view.render().el).prop("hidden", false)
    $("body").addClass("desk-open")
    this.el.scrollIntoView({ block: "nearest" })
    view.$("h2")[0].focus({ preventScroll: true })
  },

  clear() {
    if (!this.view) return
    const hadFocus = $.contains(this.el, document.activeElement)
    const card = $(`#list a[href="#books/${this.view.model.id}"]`)
    this.view.remove()
    this.view = null
    this.$el.prop("hidden", true)
    $("body").removeClass("desk-open")
    if (hadFocus) (card.length ? card : $("#add")).trigger("focus")
  },
})

const DetailsView = Backbone.View.extend({
  className: "details",

  template: ({ id, title, author, year, shelf, back }) => html`
    <a class="close" href="${back}">Back to the catalogue</a>
    <div class="binding">
      <div class="cover" data-shelf="${shelf}" aria-hidden="true">
        <img alt="" hidden>
        <p class="label"><span class="title">${title}</span> <span class="author">${author}</span></p>
      </div>
      <input type="file" id="picture" accept="image/*">
      <label for="picture">Put your own picture on it</label>
      <progress max="1" hidden aria-label="Sending the picture"></progress>
      <p class="refusal" role="alert"></p>
    </div>
    <h2 tabindex="-1">${title}</h2>
    <dl>
      <div><dt>Author</dt><dd><a href="#search/${encodeURIComponent(author)}">${author}</a></dd></div>
      <div><dt>First published</dt><dd>${year}</dd></div>
      <div><dt>Shelf</dt><dd><a href="#search/${encodeURIComponent(shelf)}">${shelf}</a></dd></div>
    </dl>
    <p class="actions">
      <a class="button primary" href="#books/${id}/edit">Edit</a>
      <button type="button" class="button delete">Delete</button>
    </p>
    <p class="actions confirm" role="group" aria-label="Delete this book?" hidden>
      <span>Delete it for good?</span>
      <button type="button" class="button danger yes">Delete</button>
      <button type="button" class="button no">Keep</button>
    </p>
    <p class="failure" role="alert"></p>`,

  events: {
    "click .delete": "ask",
    "click .no": "keep",
    "click .yes": "destroy",
    "change #picture": "send",
  },

  initialize() {
    this.cover = new Cover({}, { book: this.model })
    this.listenTo(this.model, "change", this.render)
    this.listenTo(this.model, "change:title change:shelf", () => this.cover.fetch())
    this.listenTo(this.cover, "change", this.showCover)
    this.cover.fetch()
  },

  render() {
    this.$el.html(this.template({ ...this.model.toJSON(), back: back() }))
    this.showCover()
    return this
  },

  // The binder's label says what is written on no marbled paper, and would be in the way of a picture.
  showCover() {
    const { src, given } = this.cover.attributes
    this.$(".cover img").attr("src", src).prop("hidden", !src)
    this.$(".cover .label").prop("hidden", given)
  },

  send() {
    const [picture] = this.$("#picture")[0].files
    if (!picture) return
    const progress = this.$("progress").prop("hidden", false).removeAttr("value")
    this.$(".refusal").text("")
    this.cover.send(picture, {
      progress: part => progress.val(part),
      error: xhr => this.$(".refusal").text(`The picture was not taken. ${explain(xhr)}`),
      // The same one may be chosen again.
      complete: () => progress.prop("hidden", true) && this.$("#picture").val(""),
    })
  },

  remove() {
    this.cover.close()
    return Backbone.View.prototype.remove.call(this)
  },

  ask() {
    this.$(".actions").prop("hidden", true)
    this.$(".confirm").prop("hidden", false)
    this.$(".no").trigger("focus")
  },

  keep() {
    this.$(".actions").prop("hidden", false)
    this.$(".confirm").prop("hidden", true)
    this.$(".delete").trigger("focus")
  },

  destroy() {
    this.$(".confirm button").prop("disabled", true)
    this.model.destroy({
      wait: true,
      success: book => {
        books.remove(book.id)
        router.navigate(back(), { trigger: true })
      },
      error: (book, xhr) => {
        this.$(".confirm button").prop("disabled", false)
        this.keep()
        this.$(".failure").text(explain(xhr))
      },
    })
  },
})

const FormView = Backbone.View.extend({
  className: "editor",

  template: ({ id, title, author, year, shelf, shelves, back }) => html`
    <a class="close" href="${back}">Back</a>
    <h2 tabindex="-1">${id ? "Edit the book" : "Add a book"}</h2>
    <form novalidate>
      <p class="failure" role="alert"></p>
      <p class="field">
        <label for="title">Title</label>
        <input id="title" name="title" value="${title}" autocomplete="off" aria-describedby="title-error">
        <span class="error" id="title-error"></span>
      </p>
      <p class="field">
        <label for="author">Author</label>
        <input id="author" name="author" value="${author}" autocomplete="off" aria-describedby="author-error">
        <span class="error" id="author-error"></span>
      </p>
      <p class="field short">
        <label for="year">First published</label>
        <input id="year" name="year" value="${year}" inputmode="numeric" autocomplete="off" aria-describedby="year-error">
        <span class="error" id="year-error"></span>
      </p>
      <p class="field">
        <label for="shelf">Shelf</label>
        <select id="shelf" name="shelf" aria-describedby="shelf-error">
          <option value="">Choose a shelf</option>
          ${shelves.map(name => html`<option ${name === shelf ? "selected" : ""}>${name}</option>`)}
        </select>
        <span class="error" id="shelf-error"></span>
      </p>
      <p class="actions">
        <button class="button primary">Save</button>
        <a class="button" href="${back}">Cancel</a>
      </p>
    </form>`,

  events: { submit: "save" },

  render() {
    const shelfNames = _.union(shelves.pluck("name"), _.compact([this.model.get("shelf")]))
    const close = this.model.isNew() ? back() : `#books/${this.model.id}`
    this.$el.html(this.template({ id: this.model.id, ...this.model.toJSON(), shelves: shelfNames, back: close }))
    return this
  },

  save(event) {
    event.preventDefault()
    const fields = Object.fromEntries(new FormData(this.$("form")[0]))
    this.show({})
    this.busy(true)
    this.model.save(fields, {
      wait: true,
      success: book => {
        // The server knows where it stands.
        books.search(books.words)
        router.navigate(`books/${book.id}`, { trigger: true })
      },
      error: (book, xhr) => {
        this.busy(false)
        const errors = xhr.responseJSON && xhr.responseJSON.errors
        this.show(errors || {}, errors ? "" : `The book was not saved. ${explain(xhr)}`)
      },
    })
  },

  busy(yes) {
    this.$("button").prop("disabled", yes).text(yes ? "Saving…" : "Save")
  },

  // The server's objections, each at its field; the first one gets the focus.
  show(errors, failure = "") {
    this.$(".failure").text(failure)
    this.$("[name]").each((i, input) => {
      const error = errors[input.name]
      $(input).attr("aria-invalid", error ? "true" : null)
      this.$(`#${input.name}-error`).text(error || "")
    })
    this.$("[aria-invalid]").first().trigger("focus")
  },
})

// Pages

const Router = Backbone.Router.extend({
  routes: {
    "": "list",
    "search/:words": "list",
    "books/new": "create",
    "books/:id": "read",
    "books/:id/edit": "update",
    "*other": "list",
  },

  list(words) {
    desk.clear()
    this.search(words || "")
  },

  create() {
    this.search(books.words)
    desk.show(new FormView({ model: new Book() }))
  },

  read(id) {
    this.open(id, book => new DetailsView({ model: book }))
  },

  update(id) {
    this.open(id, book => new FormView({ model: book }))
  },

  search(words) {
    searchView.show(words)
    if (books.request && words === books.words) return
    books.search(words)
    books.trigger("select", words)
  },

  // The book as the server has it now, which need not be what the catalogue showed.
  open(id, view) {
    this.search(books.words)
    const book = new Book({ id })
    const fragment = Backbone.history.fragment
    book.fetch({
      success: () => {
        books.get(book.id)?.set(book.attributes)
        if (Backbone.history.fragment === fragment) desk.show(view(book))
      },
      error: (model, xhr) => {
        say(explain(xhr))
        this.navigate(back(), { trigger: true, replace: true })
      },
    })
  },
})

const back = () => (books.words ? `#search/${encodeURIComponent(books.words)}` : "#")

// Said aloud by screen readers, shown for a while to everyone.
const hush = _.debounce(() => $("#message").text(""), 5000)
const say = text => {
  $("#message").text(text)
  hush()
}

const books = new Books()
const shelves = new Shelves()
const motto = new Motto()

const searchView = new SearchView()
const desk = new DeskView()
new MottoView({ model: motto })
new ShelvesView({ collection: shelves, model: books })
new CatalogueView({ collection: books })

// News

news.on("added changed", book => {
  // Who has saved it knows it already.
  if (!_.isEqual(books.get(book.id)?.attributes, book)) books.search(books.words)
})
news.on("removed", book => books.remove(book.id))
const HAPPENED = { added: "was added", changed: "was changed", covered: "has a new cover", removed: "has left the library" }

news.on("all", (name, book) => {
  say(`“${book.title}” ${HAPPENED[name]}.`)
  if (!(desk.view instanceof DetailsView) || desk.view.model.id !== book.id) return
  if (name === "removed") router.navigate(back(), { trigger: true })
  else if (name === "covered") desk.view.cover.fetch()
  else desk.view.model.set(book)
})

// The catalogue comes first.
books.once("sync unavailable", () => news.listen())

$(document).on("keydown", event => {
  const here = event.target === document.body || $.contains($("#app")[0], event.target)
  if (event.key === "Escape" && here && desk.view) router.navigate(back(), { trigger: true })
})

// Everything shown, as the server has it now.
const refresh = () => {
  motto.fetch()
  shelves.fetch()
  books.search(books.words)
  news.listen()
  if (!(desk.view instanceof DetailsView)) return
  desk.view.model.fetch({ error: (book, xhr) => say(explain(xhr)) })
  desk.view.cover.fetch()
}
document.addEventListener("refresh", refresh)

motto.fetch()
shelves.fetch()

const router = new Router()
Backbone.history.start()
