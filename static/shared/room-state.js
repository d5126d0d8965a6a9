/**
 * What each message of the server does to a room's state: plain data in, plain data out, no clock, no socket.
 */

/** @import {About, Event as RoomEvent, Life, LineUpPatch, Snapshot, State, States, StockState} from "./messages.js" */

/**
 * `seq` is the last event taken; `states` holds the highest version of each key. `gap` says that an event is missing.
 * @typedef {Omit<Snapshot, "states"> & {states: Map<string, State>, gap: boolean}} RoomState
 */

/**
 * What a message does to the state. Returns the same object when it changes nothing.
 * @param {RoomState | null} state null before the first snapshot
 * @param {string} name `snapshot`, `event`, `states`, `rights`, or the answer to one's own call: `pins`, `lineup`
 * @param {any} payload
 * @returns {RoomState | null}
 */
export function reduce(state, name, payload) {
  if (name === "snapshot") return takeSnapshot(state, payload);
  if (!state) return null;
  if (name === "event") return takeEvent(state, payload);
  if (name === "states") return takeStates(state, payload);
  if (name === "rights") return { ...state, rights: /** @type {Snapshot["rights"]} */ (payload.rights) };
  if (name === "pins") return payload.version > state.pins.version ? { ...state, pins: payload } : state;
  if (name === "lineup") return payload.version > state.lineup.version ? { ...state, lineup: payload } : state;
  return state;
}

/**
 * @param {RoomState | null} state
 * @param {Snapshot} snapshot
 * @returns {RoomState}
 */
function takeSnapshot(state, snapshot) {
  const known = state?.epoch === snapshot.epoch ? state.states : new Map();
  return { ...snapshot, states: newest(known, snapshot.states), gap: false };
}

/**
 * @param {RoomState} state
 * @param {RoomEvent} event
 * @returns {RoomState}
 */
function takeEvent(state, event) {
  const sameEpoch = event.epoch === state.epoch;
  if (sameEpoch && event.seq <= state.seq) return state;
  if (!sameEpoch || event.seq > state.seq + 1) return state.gap ? state : { ...state, gap: true };
  const next = { ...state, seq: event.seq, at: event.at, gap: false };
  if (event.type === "about") return { ...next, about: /** @type {About} */ (event.data) };
  if (event.type === "life") return { ...next, life: /** @type {Life} */ (event.data) };
  if (event.type === "lineup") return patchLineUp(next, /** @type {LineUpPatch} */ (event.data));
  if (event.type === "pins") return reduce(next, "pins", event.data) ?? next;
  return next;
}

/**
 * A patch older than what one's own call already brought in full changes nothing. Equal versions may differ in what hangs on
 * a product (its title, its allotment): the later event wins.
 * @param {RoomState} state
 * @param {LineUpPatch} patch
 * @returns {RoomState}
 */
function patchLineUp(state, patch) {
  if (patch.version < state.lineup.version) return state;
  const anchors = new Map([...state.lineup.anchors, ...patch.put].map((anchor) => [anchor.id, anchor]));
  const ordered = patch.order.flatMap((id) => anchors.get(id) ?? []);
  return { ...state, lineup: { version: patch.version, anchors: ordered } };
}

/**
 * @param {RoomState} state
 * @param {States} message
 * @returns {RoomState}
 */
function takeStates(state, message) {
  const states = newest(state.states, message.states);
  return states === state.states ? state : { ...state, states };
}

/**
 * The highest version of every key; the same map when nothing is newer.
 * @param {Map<string, State>} known
 * @param {State[]} incoming
 */
function newest(known, incoming) {
  const newer = incoming.filter((state) => state.version > (known.get(state.key)?.version ?? -1));
  if (newer.length === 0) return known;
  const merged = new Map(known);
  for (const state of newer) {
    if (state.version > (merged.get(state.key)?.version ?? -1)) merged.set(state.key, state);
  }
  return merged;
}

/**
 * What is left of each variant in this room and how many wait for it, by variant id.
 * @param {RoomState | null} state
 * @returns {Map<string, StockState>}
 */
export function stockOf(state) {
  const stock = new Map();
  for (const { value } of state?.states.values() ?? []) {
    if ("variant" in value) stock.set(value.variant, value);
  }
  return stock;
}

/**
 * @param {RoomState | null} state
 * @returns {number}
 */
export function viewersOf(state) {
  const value = state?.states.get("viewers")?.value;
  return value && "viewers" in value ? value.viewers : 0;
}

/**
 * @param {RoomState | null} state
 * @returns {boolean} whether the room takes holds now
 */
export function isSelling(state) {
  return state?.life.status === "live" || state?.life.status === "ending";
}
