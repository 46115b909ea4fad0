// What a request says of where it comes from: its `referer`, by the policy that goes with it.

/**
 * @param {string} target  The address that is asked, absolute.
 * @param {string} source  Where the request comes from, absolute.
 * @param {ReferrerPolicy} [policy]
 * @returns {string | undefined}
 */
export function refererOf(target, source, policy = "") {
  const { origin, protocol, pathname, search } = new URL(source)
  if (!/^https?:$/.test(protocol)) return undefined
  const whole = `${origin}${pathname}${search}`
  const bare = `${origin}/`
  const same = target.startsWith(bare)
  const unsafe = protocol === "https:" && !target.startsWith("https:")
  switch (policy) {
    case "no-referrer": return undefined
    case "unsafe-url": return whole
    case "origin": return bare
    case "same-origin": return same ? whole : undefined
    case "strict-origin": return unsafe ? undefined : bare
    case "origin-when-cross-origin": return same ? whole : bare
    case "no-referrer-when-downgrade": return unsafe ? undefined : whole
    default: return same ? whole : unsafe ? undefined : bare
  }
}
