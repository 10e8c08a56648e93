/** How people come in here, asked once a page. */

import type { AuthOptions, Failure } from "@tertulia/client";
import { useEffect, useState } from "react";

import { accounts } from "./session";

export interface Options {
  readonly options: AuthOptions | null;
  readonly failure: Failure | null;
}

/** Until the answer is there, both are null. */
export function useOptions(): Options {
  const [known, setKnown] = useState<Options>({ options: null, failure: null });
  useEffect(() => {
    let isCurrent = true;
    void accounts.options().then((answer) => {
      if (!isCurrent) return;
      setKnown(answer.ok ? { options: answer.value, failure: null } : { options: null, failure: answer.error });
    });
    return () => {
      isCurrent = false;
    };
  }, []);
  return known;
}
