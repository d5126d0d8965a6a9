// A page through the stock JavaScript client: prints one JSON line for everything it is told.
// Arguments: URL, origin, `auth` as JSON, then questions as JSON `[name, body]`, asked in order once the snapshot is here.
import { io } from "socket.io-client";

const [url, origin, auth, ...questions] = process.argv.slice(2);
const say = (...words) => process.stdout.write(`${JSON.stringify(words)}\n`);
const socket = io(url, {
  transports: ["websocket"],
  auth: JSON.parse(auth),
  extraHeaders: { Origin: origin },
  reconnectionDelay: 100,
  reconnectionDelayMax: 200,
});
socket.onAny((name, body) => say(name, body));
socket.on("connect", () => say("connect"));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => say("connect_error", { message: error.message, data: error.data ?? null }));
socket.once("snapshot", async () => {
  for (const question of questions) {
    const [name, body] = JSON.parse(question);
    say("answer", await socket.timeout(5000).emitWithAck(name, body));
  }
});
