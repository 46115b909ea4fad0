// What a request says of where it comes from: its `referer`, by the policy that goes with it.

const POLICIES = [
  "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin",
  "strict-origin-when-cross-origin", "unsafe-url",
]
// An address that is longer is not told.
const LONGEST = 4096

/**
 * @param {string} target  The address that is asked, absolute.
 * @param {string} source  Where the request comes from, absolute.
 * @param {ReferrerPolicy} [policy]
 * @returns {string | undefined}
 */
export function refererOf(target, source, policy = "") {
  const { origin, protocol, pathname, search } = new URL(source)
  if (!/^https?:$/.test(protocol)) return undefined
  const bare = `${origin}/`
  const address = `${origin}${pathname}${search}`
  const whole = address.length > LONGEST ? bare : address
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

/**
 * The policy that a reply's `referrer-policy` sets: the last of those that it names that is one.
 *
 * @param {string} [header]
 */
export function policyOf(header = "") {
  const named = header.split(",").map((each) => each.trim().toLowerCase())
  return /** @type {ReferrerPolicy | undefined} */ (named.findLast((each) => POLICIES.includes(each)))
}
