// A route of the faux server that is written in JavaScript.

const mottos = [
  "Borrow a thought, return it used.",
  "Two hundred ways out of this room.",
  "Quiet, please. People are elsewhere.",
  "Every answer here is overdue.",
]

fauxServer.get("library-app/motto", function motto() {
  return { text: mottos[new Date().getDate() % mottos.length] }
})

// The app was written for jQuery's own requests: what fails is handed to it as a jqXHR.
fauxServer.setTransportFactory(fauxServer.jqXHRTransport)
