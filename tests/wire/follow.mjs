// Reads `[name, body]` pairs as one JSON list from standard input, and writes what a page makes of them.
import { reduce } from "../../static/shared/room-state.js";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { epoch, seq, about, life, lineup, pins, states, gap } = JSON.parse(text).reduce(
  (state, [name, body]) => reduce(state, name, body),
  null,
);
process.stdout.write(JSON.stringify({ epoch, seq, about, life, lineup, pins, gap, states: [...states.values()] }));
