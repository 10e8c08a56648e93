// The standard Socket.IO client in Node: joins, sends, prints what it gets as JSON lines. Arguments: url token room
// conversation transport.
import { io } from "socket.io-client";

const [url, token, room, conversation, transport] = process.argv.slice(2);
const say = (event, data) => console.log(JSON.stringify({ event, data }));
const socket = io(url, { path: "/ws", transports: [transport], auth: { token }, reconnection: false });

socket.on("connect_error", (error) => {
  say("refused", { message: error.message, data: error.data ?? null });
  socket.close();
});
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.onAny((event, data) => say(event, data));
socket.on("connect", async () => {
  say("joined", await socket.emitWithAck("join", { room }));
  const message = { conversation, client_id: crypto.randomUUID(), body: { text: "from Node: ✓ 世界" } };
  say("sent", await socket.emitWithAck("send-message", message));
});
process.stdin.on("end", () => socket.disconnect());
process.stdin.resume();
