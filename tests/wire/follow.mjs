// Reads {snapshot, events, states} as JSON from standard input, and writes what a page makes of them.
import { reduce } from "../../static/shared/room-state.js";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { snapshot, events, states } = JSON.parse(text);
let state = reduce(null, "snapshot", snapshot);
for (const event of events) state = reduce(state, "event", event);
state = reduce(state, "states", { states });
const { epoch, seq, about, life, lineup, pins, gap } = state;
process.stdout.write(JSON.stringify({ epoch, seq, about, life, lineup, pins, gap, states: [...state.states.values()] }));
