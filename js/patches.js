// Something of ours in the place of properties, and back: in any order with others who do the same.

/**
 * @typedef {object} Patch
 * @property {any} owner
 * @property {string} name
 * @property {(original: PropertyDescriptor) => PropertyDescriptor} make  What shall stand there instead.
 */

/** @param {Patch[]} patches */
export function createPatches(patches) {
  const places = patches.map((patch) => ({
    ...patch,
    /** What was there; undefined if it was inherited. @type {PropertyDescriptor | undefined} */
    original: undefined,
    /** @type {PropertyDescriptor} */
    ours: {},
    placed: false,
  }))

  return {
    place() {
      for (const place of places) {
        const { owner, name, make } = place
        const current = Object.getOwnPropertyDescriptor(owner, name)
        // Who has put something over ours meanwhile still calls it.
        if (place.placed && !same(current, place.original)) continue
        if (!place.placed) {
          const inherited = current ?? inheritedDescriptor(owner, name)
          if (!inherited || current?.configurable === false) continue
          place.original = current
          place.ours = { ...inherited, ...make(inherited) }
          place.placed = true
        }
        Object.defineProperty(owner, name, place.ours)
      }
    },

    /** Put back what was there, where nothing stands over ours, and give back what of ours is gone. */
    remove() {
      /** @type {[string, PropertyDescriptor][]} */
      const removed = []
      for (const place of places) {
        const { owner, name, original, ours } = place
        if (!place.placed || !same(Object.getOwnPropertyDescriptor(owner, name), ours)) continue
        if (original) Object.defineProperty(owner, name, original)
        else delete owner[name]
        place.placed = false
        removed.push([name, ours])
      }
      return removed
    },
  }
}

/** @param {any} owner @param {string} name */
function inheritedDescriptor(owner, name) {
  for (let each = owner; each; each = Object.getPrototypeOf(each)) {
    const found = Object.getOwnPropertyDescriptor(each, name)
    if (found) return found
  }
  return undefined
}

/** @param {PropertyDescriptor | undefined} a @param {PropertyDescriptor | undefined} b */
function same(a, b) {
  return a === b || (a !== undefined && b !== undefined && a.value === b.value && a.get === b.get && a.set === b.set)
}

/** A function that calls itself what the one before it did. @param {any} replacement @param {any} original */
export function named(replacement, original) {
  for (const name of ["name", "length"]) Object.defineProperty(replacement, name, { value: original?.[name], configurable: true })
  return replacement
}
