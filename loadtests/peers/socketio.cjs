// Node's socket.io, told its port. On SIGUSR2 it floods its one room with messages of 200 bytes, and waits while a viewer
// has more than 64 KiB to read; `tap` is acknowledged with nothing.
const http = require("node:http");
const { Server } = require("socket.io");

const MESSAGE = { pad: "x".repeat(178) }; // 42["stock",{"pad":"…"}]
const MOST = 65536;

const server = http.createServer();
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });

io.on("connection", (socket) => {
  socket.join("r");
  socket.on("tap", (_, ack) => ack({}));
});

function isBusy() {
  for (const client of Object.values(io.engine.clients)) {
    if (client.writeBuffer.length > 50 || client.transport.socket.bufferedAmount > MOST) return true;
  }
  return false;
}

function flood() {
  if (!isBusy()) io.to("r").emit("stock", MESSAGE);
  setImmediate(flood);
}

process.on("SIGUSR2", flood);
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
