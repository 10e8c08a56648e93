import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `npm run dev` shows the page with quick reloads, against a server that runs beside it. */
const server = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", assetsInlineLimit: 0, manifest: true },
  server: {
    proxy: {
      "/auth": server,
      "/rooms": server,
      "/turn": server,
      "/ws": { target: server, ws: true },
    },
  },
});
