// Mirage, which stands on Pretender. Outside of tests it waits 400 ms unless told otherwise.

import { createServer } from "miragejs"

createServer({
  timing: 0,
  logging: false,
  routes() {
    for (const expression of window.expressions) {
      this.get(expression, (schema, request) => window.book(request.params.id))
    }
  },
})
