/** The real Socket.IO socket: WebSocket only, at `/ws`, never reconnecting by itself. */

import { io } from "socket.io-client";

import type { SocketFactory } from "./connection.js";

const CONNECT_TIMEOUT_MS = 8_000;

/** @param url the server's origin; empty for the page's own */
export function socketIo(url: string): SocketFactory {
  return (token) => {
    const options = {
      path: "/ws",
      transports: ["websocket"],
      autoConnect: false,
      forceNew: true,
      reconnection: false,
      timeout: CONNECT_TIMEOUT_MS,
      auth: (send: (data: object) => void) => {
        token().then(
          (value) => send({ token: value }),
          // Without a token the server refuses with a code, which says more than silence would.
          () => send({ token: "" }),
        );
      },
    };
    return url === "" ? io(options) : io(url, options);
  };
}
