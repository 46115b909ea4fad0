// Where Python's C code would run away with the page, or fall: endless iterators look at the clock, deep structures are
// freed level by level, recursion ends in time, and memory has an end.
//
// CPython looks whether it is interrupted between two of its instructions. `sum(itertools.count())` is one instruction
// for ever. And where it recurses in C, it trusts its own stack, of which the engine's is a tenth: `del` of a list ten
// thousand levels deep ends the runtime. The functions that matter stand in WebAssembly's table; ours take their places.

import { LIMIT } from "./timelimit.js"

/** Bytes of the C stack that a handler may use. Recursion through C uses ten times as much of the engine's own stack. */
const STACK = 64 * 1024
/** The same for a route file, whose imports go deep, but recurse in nothing else. */
const WIDE_STACK = 192 * 1024
/** So many deallocations may be inside one another. */
const DEPTH = 200
/** Bytes that memory may grow at one stretch of a handler: it never shrinks again. */
const GROWTH = 128 * 1024 * 1024
/** Bytes it may have where more time is given as well, as for a route file. */
const MOST = 1024 * 1024 * 1024

export const noRails = { begin(/** @type {number} */ _limit) {}, end() {} }

// Places in a type object, in bytes.
const DEALLOC = 24
const FLAGS = 84
const LIST = 1 << 25
const RICHCOMPARE = 100
const ITERNEXT = 112

/**
 * @param {any} pyodide
 * @param {{ endless: number[], nesting: number[], compared: number[] } | null} types  Where they lie; see `hosts/pageguard.py`.
 * @param {{ deadline: () => number | undefined }} limit
 * @returns {{ begin: (limit: number) => void, end: () => void }}  Around what has a time limit of its own.
 */
export function layRails(pyodide, types, limit) {
  const { _module: Module } = pyodide
  if (!types || !Module?.wasmTable) return noRails
  const known = laid.get(Module)
  if (known) return known(limit)
  const { endless, nesting, compared } = types
  // The places above are this Python's: in a list's type, that is what its flags say.
  if (!(Module.HEAPU32[(nesting[0] + FLAGS) >> 2] & LIST)) {
    console.warn("fauxserver: this runtime's types are not as they were; loops and recursion inside C will not be stopped.")
    return noRails
  }
  const { wasmTable: table, memory } = Module
  /** @param {number[]} types @param {number} slot */
  const places = (types, slot) => [...new Set(types.map((type) => Module.HEAPU32[(type + slot) >> 2]))].filter(Boolean)
  const steps = places(endless, ITERNEXT)
  const compares = places(compared, RICHCOMPARE)
  const deallocs = places(nesting, DEALLOC)

  const imports = {
    memory, table,
    look: Module._PyErr_CheckSignals,
    tracked: Module._PyObject_GC_IsTracked,
    track: Module._PyObject_GC_Track,
    untrack: Module._PyObject_GC_UnTrack,
    ...Object.fromEntries([...steps, ...compares, ...deallocs].map((place) => [`f${place}`, table.get(place)])),
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(steps, compares, deallocs)), { e: imports })
  for (const place of [...steps, ...compares, ...deallocs]) {
    table.set(place, exports[`f${place}`])
    if (Module.wasmTableMirror) Module.wasmTableMirror[place] = exports[`f${place}`]
  }

  const base = Module._emscripten_stack_get_base()
  const thread = Module._PyThreadState_Get()
  let stack = 0
  /** @param {number} size */
  function allow(size) {
    if (size === stack) return
    stack = size
    Module._PyUnstable_ThreadState_SetStackProtection(thread, base - size, size)
  }
  allow(STACK)

  // How much there is when a stretch begins is asked for when it grows: mostly it does not.
  let stretch = limit.deadline()
  let most = 0
  const grow = memory.grow.bind(memory)
  memory.grow = (/** @type {number} */ pages) => {
    if (limit.deadline() !== stretch || !most) {
      stretch = limit.deadline()
      most = memory.buffer.byteLength + GROWTH
    }
    const wanted = memory.buffer.byteLength + pages * 65_536
    if (stretch !== undefined && wanted > (stack === STACK ? most : MOST)) {
      throw new RangeError("A handler takes too much memory.")
    }
    return grow(pages)
  }
  const rails = {
    /** @param {number} limit  The time limit, in milliseconds. */
    begin: (limit) => allow(limit > LIMIT ? WIDE_STACK : STACK),
    end: () => allow(STACK),
  }
  laid.set(Module, (anew) => {
    limit = anew
    return rails
  })
  return rails
}

/**
 * A page that was stopped and started again has the same Python, with the rails that lie there, and another clock.
 *
 * @type {WeakMap<object, (limit: { deadline: () => number | undefined }) => typeof noRails>}
 */
const laid = new WeakMap()

// --- The functions that take their places ------------------------------------------------------------------------------

const I32 = 0x7f
const [STEP, VOID, LOOK, COMPARE] = [0, 1, 2, 3]

/**
 * A WebAssembly module, in bytes. In its text form:
 *
 *     (func $step (param i32) (result i32)         ;; compare: with three parameters
 *       (global.set $left (i32.sub (global.get $left) (i32.const 1)))
 *       (if (i32.eqz (global.get $left)) (then
 *         (global.set $left (i32.const 4096))
 *         (if (call $look) (then (return (i32.const 0))))))
 *       (call $original (local.get 0)))
 *
 *     (func $dealloc (param $self i32) (local $next i32)
 *       (block $now
 *         (br_if $now (i32.lt_s (global.get $depth) (i32.const DEPTH)))
 *         (br_if $now …)                           ;; unless it is this type's own dealloc, and the collector knows the type
 *         …                                        ;; put off: chained through the collector's header, tracked in the lowest bit
 *         (return))
 *       depth += 1, (call $original (local.get $self)), depth -= 1
 *       …)                                         ;; the outermost frees what was put off
 *
 * @param {number[]} steps @param {number[]} compares @param {number[]} deallocs  Places in the table.
 */
function assemble(steps, compares, deallocs) {
  const look = 0, tracked = 1, track = 2, untrack = 3
  const all = [...steps.map((place) => ({ place, type: STEP })), ...compares.map((place) => ({ place, type: COMPARE })),
    ...deallocs.map((place) => ({ place, type: VOID }))]
  const [LEFT, DEPTH_NOW, LATER] = [0, 1, 2]
  const get = (/** @type {number} */ local) => [0x20, local]
  const set = (/** @type {number} */ local) => [0x21, local]
  const read = (/** @type {number} */ name) => [0x23, name]
  const write = (/** @type {number} */ name) => [0x24, name]
  const constant = (/** @type {number} */ value) => [0x41, ...signed(value)]
  const load = (/** @type {number} */ offset) => [0x28, 2, ...unsigned(offset)]
  const store = [0x36, 2, 0]
  const call = (/** @type {number} */ f) => [0x10, ...unsigned(f)]
  const [ADD, SUB, AND, OR, EQZ, NE, LT] = [[0x6a], [0x6b], [0x71], [0x72], [0x45], [0x47], [0x48]]
  const [IF, BLOCK, LOOP, END, RETURN] = [[0x04, 0x40], [0x02, 0x40], [0x03, 0x40], [0x0b], [0x0f]]
  const branch = (/** @type {number} */ level) => [0x0c, level]
  const branchIf = (/** @type {number} */ level) => [0x0d, level]

  const checked = (/** @type {number} */ original, /** @type {number} */ parameters) => [
    0, // no locals
    ...read(LEFT), ...constant(1), ...SUB, ...write(LEFT),
    ...read(LEFT), ...EQZ, ...IF,
    ...constant(4096), ...write(LEFT),
    ...call(look), ...IF, ...constant(0), ...RETURN, ...END,
    ...END,
    ...Array.from({ length: parameters }, (_, n) => get(n)).flat(), ...call(original),
    ...END,
  ]
  const header = [...get(0), ...constant(8), ...SUB]
  const deallocating = (/** @type {number} */ original, /** @type {number} */ place) => [
    1, 1, I32, // one local
    ...BLOCK,
    ...read(DEPTH_NOW), ...constant(DEPTH), ...LT, ...branchIf(0),
    ...get(0), ...load(4), ...load(DEALLOC), ...constant(place), ...NE, ...branchIf(0),
    ...get(0), ...load(4), ...load(FLAGS), ...constant(1 << 14), ...AND, ...EQZ, ...branchIf(0),
    ...get(0), ...call(tracked), ...set(1),
    ...get(0), ...call(untrack),
    ...header, ...read(LATER), ...get(1), ...OR, ...store,
    ...get(0), ...write(LATER),
    ...RETURN,
    ...END,
    ...read(DEPTH_NOW), ...constant(1), ...ADD, ...write(DEPTH_NOW),
    ...get(0), ...call(original),
    ...read(DEPTH_NOW), ...constant(1), ...SUB, ...write(DEPTH_NOW),
    ...read(DEPTH_NOW), ...EQZ, ...IF,
    ...constant(1), ...write(DEPTH_NOW),
    ...LOOP,
    ...read(LATER), ...IF,
    ...read(LATER), ...set(0),
    ...header, ...load(0), ...set(1),
    ...get(1), ...constant(-2), ...AND, ...write(LATER),
    ...header, ...constant(0), ...store,
    ...get(1), ...constant(1), ...AND, ...IF, ...get(0), ...call(track), ...END,
    ...get(0), ...get(0), ...load(4), ...load(DEALLOC), 0x11, VOID, 0,
    ...branch(1),
    ...END,
    ...END,
    ...constant(0), ...write(DEPTH_NOW),
    ...END,
    ...END,
  ]

  const first = 4
  const bodies = all.map(({ place, type }, index) =>
    type === VOID ? deallocating(first + index, place) : checked(first + index, type === STEP ? 1 : 3))
  const own = first + all.length
  return new Uint8Array([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [[0x60, 1, I32, 1, I32], [0x60, 1, I32, 0], [0x60, 0, 1, I32], [0x60, 3, I32, I32, I32, 1, I32]]),
    ...section(2, [
      [...name("e"), ...name("memory"), 2, 0, 1],
      [...name("e"), ...name("table"), 1, 0x70, 0, 1],
      [...name("e"), ...name("look"), 0, LOOK],
      [...name("e"), ...name("tracked"), 0, STEP],
      [...name("e"), ...name("track"), 0, VOID],
      [...name("e"), ...name("untrack"), 0, VOID],
      ...all.map(({ place, type }) => [...name("e"), ...name(`f${place}`), 0, type]),
    ]),
    ...section(3, all.map(({ type }) => [type])),
    ...section(6, [4096, 0, 0].map((value) => [I32, 1, ...constant(value), ...END])),
    ...section(7, all.map(({ place }, index) => [...name(`f${place}`), 0, ...unsigned(own + index)])),
    ...section(10, bodies.map((body) => [...unsigned(body.length), ...body])),
  ])
}

/** @param {number} id @param {number[][]} items */
function section(id, items) {
  const content = [...unsigned(items.length), ...items.flat()]
  return [id, ...unsigned(content.length), ...content]
}

/** @param {string} text */
function name(text) {
  return [text.length, ...[...text].map((letter) => letter.charCodeAt(0))]
}

/** A number as WebAssembly writes it (LEB128). @param {number} value @returns {number[]} */
function unsigned(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

/** @param {number} value @returns {number[]} */
function signed(value) {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]
}
