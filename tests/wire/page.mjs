// A page through the stock JavaScript client. Arguments: URL, then headers and `auth` as JSON. Does what each line of standard input
// says, `[command, …words]` as JSON, and prints `[name, body]` for everything that it is told. Like a page it knows how far it was
// told, and says so when it comes back.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, headers, auth] = process.argv.slice(2);
const say = (...words) => process.stdout.write(`${JSON.stringify(words)}\n`);
let after = JSON.parse(auth).after;
const socket = io(url, {
  transports: ["websocket"],
  auth: (send) => send({ ...JSON.parse(auth), ...(after && { after }) }),
  extraHeaders: JSON.parse(headers),
  reconnectionDelay: 100,
  reconnectionDelayMax: 200,
});
socket.onAny((name, body) => {
  if (name === "snapshot" || name === "event") after = { epoch: body.epoch, seq: body.seq };
  say(name, body);
});
socket.on("connect", () => say("connect"));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => {
  say("connect_error", { message: error.message, data: error.data ?? null });
  // The client returns by itself to a server that is away, not to one that said no, which may only have meant *not yet*.
  if (!socket.active && error.data?.code === "one_moment") setTimeout(() => socket.connect(), 200);
});

const commands = {
  ask: async (name, ...body) => say("answer", await socket.timeout(5000).emitWithAck(name, ...body)),
  sendBytes: (name) => socket.emit(name, new Uint8Array([1, 2, 3])),
  leave: () => socket.disconnect(),
  comeBack: () => socket.connect(),
};
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = JSON.parse(line);
  commands[command](...words);
}
