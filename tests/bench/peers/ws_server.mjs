// The peer `ws` (npm): greets, answers a ping, and passes everything else on to all the others. Prints its port.
import {createRequire} from "node:module"
import {randomUUID} from "node:crypto"

const {WebSocketServer} = createRequire(new URL("../../collab/", import.meta.url))("ws")
const server = new WebSocketServer({host: "127.0.0.1", port: 0, backlog: 1024}, () => console.log(server.address().port))
const all = new Set()

server.on("connection", socket => {
  all.add(socket)
  socket.on("close", () => all.delete(socket))
  socket.on("error", () => socket.terminate())
  socket.on("message", data => {
    const text = data.toString()
    if (JSON.parse(text).type == "ping") {
      socket.send(JSON.stringify({type: "pong", timestamp: new Date().toISOString()}))
    } else {
      for (const other of all) if (other != socket) other.send(text)
    }
  })
  socket.send(JSON.stringify({type: "connection_established", connection_id: randomUUID(), user_id: "user_1",
    timestamp: new Date().toISOString()}))
})
