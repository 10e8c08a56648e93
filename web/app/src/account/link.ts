/** What the link in the address is for; asked without using it up. */

import type { LinkInfo, Result } from "@tertulia/client";
import { useEffect, useState } from "react";

import { accounts } from "./session";

/** null until the answer is there. */
export function useLink(token: string): Result<LinkInfo> | null {
  const [link, setLink] = useState<Result<LinkInfo> | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void accounts.lookAtLink(token).then((answer) => {
      if (isCurrent) setLink(answer);
    });
    return () => {
      isCurrent = false;
    };
  }, [token]);
  return link;
}
