// Two routes of the faux server that are written in JavaScript, and the note that says who answers.

const mottos = [
  "Borrow a thought, return it used.",
  "Two hundred ways out of this room.",
  "Quiet, please. People are elsewhere.",
  "Every answer here is overdue.",
]

fauxServer.get("library-app/motto", () => ({ text: mottos[new Date().getDate() % mottos.length] }))

fauxServer.get("library-app/shelves", () =>
  ["Novels", "Crime", "Science fiction", "Fantasy", "Children", "Stage and verse", "Ideas", "Lives"].map(name => ({ name })))

// The app was written for jQuery's own requests: what fails is handed to it as a jqXHR.
fauxServer.setTransportFactory(fauxServer.jqXHRTransport)

// A page that opens with ?fauxserver=off boots nothing.
const tellWhoAnswers = () => {
  document.getElementById("note-page").hidden = !fauxServer.boot
  document.getElementById("note-server").hidden = Boolean(fauxServer.boot)
}
fauxServer.ready.then(tellWhoAnswers, tellWhoAnswers)
