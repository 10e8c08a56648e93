/** One question to the server over HTTP, and its answer as a value: what every HTTP door of the client shares. */

import { failed, isRecord, ok, refusedFrom, type Refused, type Result } from "./result.js";

/** @param path from the server's origin; @param headers what goes along beside the content type */
export async function askHttp<Answer>(
  fetcher: typeof fetch,
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Result<Answer>> {
  const sent: Record<string, string> = { accept: "application/json", ...headers };
  if (body !== undefined) sent["content-type"] = "application/json";
  const init: RequestInit = { method, headers: sent };
  if (body !== undefined) init.body = JSON.stringify(body);
  try {
    const response = await fetcher(path, init);
    const answer: unknown = await response.json();
    return response.ok ? ok(answer as Answer) : failed(refusalIn(answer, response.headers.get("retry-after")));
  } catch {
    // No network, or an answer that is not JSON: a proxy speaks for a server that is away.
    return failed({ kind: "offline" });
  }
}

function refusalIn(answer: unknown, retryAfter: string | null): Refused {
  const refused = refusedFrom(isRecord(answer) ? answer["error"] : null);
  return retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? { ...refused, retryAfterS: Number(retryAfter) } : refused;
}
