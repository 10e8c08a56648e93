// Node's Socket.IO server doing what the chat's benchmark asks of every server: tell a room what somebody sent.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
let seq = 0;

io.on("connection", (socket) => {
  socket.on("sync", (request, answer) => {
    for (const position of request.positions) socket.join(position.conversation);
    answer({ conversations: [] });
  });
  socket.on("send-message", (request, answer) => {
    seq += 1;
    const event = { ...request, seq, id: crypto.randomUUID(), kind: "message", at: Date.now(), sender: socket.id };
    io.to(request.conversation).emit("message", { conversation: request.conversation, events: [event] });
    answer({ event });
  });
});

http.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
