// Two routes of the faux server that are written in JavaScript.

const mottos = [
  "Borrow a thought, return it used.",
  "Two hundred ways out of this room.",
  "Quiet, please. People are elsewhere.",
  "Every answer here is overdue.",
]

fauxServer.get("library-app/motto", function motto() {
  return { text: mottos[new Date().getDate() % mottos.length] }
})

fauxServer.get("library-app/shelves", function shelves() {
  return ["Novels", "Crime", "Science fiction", "Fantasy", "Children", "Stage and verse", "Ideas", "Lives"].map(name => ({ name }))
})

// The app was written for jQuery's own requests: what fails is handed to it as a jqXHR.
fauxServer.setTransportFactory(fauxServer.jqXHRTransport)
