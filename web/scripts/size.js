/**
 * Holds the page to its budgets, in compressed JavaScript: what is loaded before anything shows, and with what every
 * other part of the page needs in addition.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const FIRST_BYTES = 150_000;
const PART_BYTES = 250_000;

const dist = join(import.meta.dirname, "..", "app", "dist");
const manifest = JSON.parse(readFileSync(join(dist, ".vite", "manifest.json"), "utf8"));

/** The files of a chunk and of all that it imports at once. */
function files(name, found = new Set()) {
  const { file, imports = [] } = manifest[name];
  found.add(file);
  for (const other of imports) if (!found.has(manifest[other].file)) files(other, found);
  return found;
}

const sizeOf = (names) =>
  [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name))).length, 0);

const first = files("index.html");
const lines = [["first load", sizeOf(first), FIRST_BYTES]];
for (const [name, { isDynamicEntry }] of Object.entries(manifest)) {
  if (isDynamicEntry) lines.push([`with ${name}`, sizeOf(new Set([...first, ...files(name)])), PART_BYTES]);
}
for (const [what, bytes, budget] of lines) {
  process.stdout.write(`${what}: ${(bytes / 1000).toFixed(0)} KB compressed JavaScript (budget ${budget / 1000} KB)\n`);
  if (bytes > budget) process.exitCode = 1;
}
