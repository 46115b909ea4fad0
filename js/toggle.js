// Whether the faux server answers when the page opens: `?fauxserver=off` in its address, remembered until `on`.

const KEY = "fauxserver"

/**
 * @param {any} global
 * @returns {boolean}
 */
export function startsEnabled(global) {
  const asked = /[?&]fauxserver=(on|off)(?![^&#])/.exec(global.location?.search ?? "")?.[1]
  if (asked) remember(global, asked === "on")
  const enabled = asked ? asked === "on" : recall(global) !== "off"
  // It was perhaps long ago, in another tab.
  if (!enabled) console.info("fauxserver is off in this page: requests go to the network. ?fauxserver=on in its address turns it on.")
  return enabled
}

/**
 * @param {any} global
 * @param {boolean} enabled
 */
export function remember(global, enabled) {
  try {
    global.localStorage.setItem(KEY, enabled ? "on" : "off")
  } catch {
    // A page may have no storage, or be denied it: then the address alone decides.
  }
}

/** @param {any} global @returns {string | null} */
function recall(global) {
  // Node has a storage that warns when it is looked at.
  if (!global.location) return null
  try {
    return global.localStorage.getItem(KEY)
  } catch {
    return null
  }
}
