/** A form on its way to the server: busy, refused with a sentence, or told to wait. */

import type { Failure, Result } from "@tertulia/client";
import { useEffect, useRef, useState } from "react";

import { failureText } from "../text/errors";

export interface Submission {
  readonly isBusy: boolean;
  /** The server said when to come again, and that time is not over. */
  readonly isWaiting: boolean;
  readonly problem: string | null;
  /** The last refusal, for what depends on its code. */
  readonly failure: Failure | null;
  run<Value>(ask: () => Promise<Result<Value>>, done: (value: Value) => void): Promise<void>;
  clear(): void;
}

export function useSubmission(): Submission {
  const [isBusy, setBusy] = useState(false);
  const [isWaiting, setWaiting] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    isBusy,
    isWaiting,
    failure,
    problem: failure === null ? null : failureText(failure),
    async run(ask, done) {
      if (isBusy || isWaiting) return;
      setBusy(true);
      setFailure(null);
      const answer = await ask();
      setBusy(false);
      if (answer.ok) {
        done(answer.value);
        return;
      }
      setFailure(answer.error);
      const waitS = answer.error.kind === "refused" ? answer.error.retryAfterS : undefined;
      if (waitS === undefined) return;
      setWaiting(true);
      timer.current = setTimeout(() => {
        setWaiting(false);
        setFailure(null);
      }, waitS * 1000);
    },
    clear: () => setFailure(null),
  };
}
