/** Holds the page to its budget: first-load JavaScript, compressed, at most 150 KB. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 150_000;
const assets = join(import.meta.dirname, "..", "app", "dist", "assets");
const bytes = readdirSync(assets)
  .filter((name) => name.endsWith(".js"))
  .reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);

process.stdout.write(`first-load JavaScript: ${(bytes / 1000).toFixed(0)} KB compressed (budget ${BUDGET_BYTES / 1000} KB)\n`);
if (bytes > BUDGET_BYTES) process.exitCode = 1;
