// Properties that stand on one object itself, for a while: where its prototype does not say, or no longer says, what is ours.

/** @type {WeakMap<object, [string, PropertyDescriptor | undefined][]>} */
export const pinned = new WeakMap()

/** @param {any} xhr @param {[string, PropertyDescriptor][]} own */
export function pin(xhr, own) {
  pinned.set(xhr, own.map(([name]) => [name, Object.getOwnPropertyDescriptor(xhr, name)]))
  for (const [name, descriptor] of own) Object.defineProperty(xhr, name, { ...descriptor, configurable: true })
}

/** @param {any} xhr */
export function unpin(xhr) {
  for (const [name, descriptor] of pinned.get(xhr) ?? []) {
    if (descriptor) Object.defineProperty(xhr, name, descriptor)
    else delete xhr[name]
  }
  pinned.delete(xhr)
}
