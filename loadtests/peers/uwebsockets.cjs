// uWebSockets, told its port. On SIGUSR2 it floods its one topic with messages of 200 bytes.
const MESSAGE = "x".repeat(200);
const app = require("uwebsockets").App();

function flood() {
  app.publish("r", MESSAGE);
  setImmediate(flood);
}

process.on("SIGUSR2", flood);
app.ws("/*", { maxBackpressure: 65536, open: (viewer) => viewer.subscribe("r") });
app.listen("127.0.0.1", Number(process.argv[2]), () => {});
