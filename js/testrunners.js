// QUnit, Jasmine and Mocha wait for the server: an old test page swaps its one tag and runs.

/**
 * Hold back the start of every test runner on the page.
 *
 * @param {any} global
 * @param {Promise<unknown>} ready  Settled either way, the tests run.
 * @returns {() => void}  Look again: for runners that were loaded after us.
 */
export function holdTestRunners(global, ready) {
  const settled = ready.then(() => {}, () => {})
  /** @type {Set<object>} */
  const held = new Set()

  /** @param {any} runner @param {(runner: any) => void} hold */
  function once(runner, hold) {
    if (!runner || held.has(runner)) return
    held.add(runner)
    hold(runner)
  }

  if (global.document && !("mocha" in global)) onAssignment(global, "mocha", settled, look)
  return look

  function look() {
    once(global.QUnit?.config && global.QUnit, (QUnit) => holdQUnit(global, QUnit, settled))
    once(global.jasmine?.getEnv?.(), (env) => holdJasmine(env, settled))
    once(global.mocha?.suite && global.mocha, (mocha) => holdMocha(mocha, settled))
  }
}

/**
 * QUnit starts by itself when the page has loaded, or when the page that has turned this off says so.
 *
 * @param {any} global
 * @param {any} QUnit
 * @param {Promise<void>} ready
 */
function holdQUnit(global, QUnit, ready) {
  const { config, start } = QUnit
  let wanted = config.autostart !== false
  // Later, QUnit 1 itself sets it, which says nothing about what the page wants.
  let open = global.document?.readyState === "loading"
  global.document?.addEventListener("DOMContentLoaded", () => {
    open = false
  }, { once: true })
  /** @type {any[] | undefined} */
  let asked
  Object.defineProperty(config, "autostart", {
    get: () => false,
    set: (value) => {
      if (open) wanted = value
    },
    configurable: true,
    enumerable: true,
  })
  const hold = (/** @type {any[]} */ ...args) => {
    asked = args
  }
  QUnit.start = hold
  if (global.start === start) global.start = hold

  ready.then(() => {
    QUnit.start = start
    if (global.start === hold) global.start = start
    Object.defineProperty(config, "autostart", { value: wanted, writable: true, configurable: true, enumerable: true })
    if (asked) start.apply(QUnit, asked)
    // Before the page has loaded, QUnit finds its own way.
    else if (wanted && isLoaded(global)) {
      config.autostart = false
      start.call(QUnit)
    }
  })
}

/** @param {any} env @param {Promise<void>} ready */
function holdJasmine(env, ready) {
  const { execute } = env
  env.execute = (/** @type {any[]} */ ...args) => ready.then(() => {
    env.execute = execute
    return execute.apply(env, args)
  })
}

/**
 * Mocha gives back its runner at once, so it is let run, and waits in a hook before everything else.
 *
 * @param {any} mocha
 * @param {Promise<void>} ready
 */
function holdMocha(mocha, ready) {
  const { run } = mocha
  mocha.run = (/** @type {any[]} */ ...args) => {
    mocha.run = run
    const { suite } = mocha
    suite.beforeAll("fauxServer.ready", function wait() {
      // @ts-ignore: Mocha hands its context over as `this`.
      this.timeout(0)
      return ready
    })
    suite._beforeAll.unshift(suite._beforeAll.pop())
    return run.apply(mocha, args)
  }
}

/**
 * Mocha is told to run by the page itself, maybe right after it was loaded.
 *
 * @param {any} global
 * @param {string} name
 * @param {Promise<void>} ready
 * @param {() => void} look
 */
function onAssignment(global, name, ready, look) {
  /** @type {unknown} */
  let value
  Object.defineProperty(global, name, {
    get: () => value,
    set(given) {
      value = given
      look()
    },
    configurable: true,
    enumerable: false,
  })
  ready.then(() => {
    delete global[name]
    if (value !== undefined) global[name] = value
  })
}

/** @param {any} global */
function isLoaded(global) {
  return global.document?.readyState === "complete"
}
