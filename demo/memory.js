// What this tab remembers when it is reloaded. Where the browser forbids it, nothing.

export function recall(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key))
  } catch {
    return null
  }
}

export function remember(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Then it is new again.
  }
}
