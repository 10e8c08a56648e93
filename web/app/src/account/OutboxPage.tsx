/** On a development server without a mail server: what it would have sent, with links that work. */

import type { OutboxMail } from "@tertulia/client";
import { useEffect, useState, type ReactNode } from "react";

import { linkify } from "../text/linkify";
import { visible } from "../text/visible";
import { Button } from "../ui/controls";
import { useTitle } from "../ui/hooks";
import { Front, Go } from "./parts";
import { accounts } from "./session";
import { useSubmission } from "./submission";

export function OutboxPage(): ReactNode {
  const [mails, setMails] = useState<readonly OutboxMail[] | null>(null);
  const submission = useSubmission();
  useTitle("Outbox · Tertulia");
  useEffect(() => {
    let isCurrent = true;
    void accounts.outbox().then((answer) => {
      if (isCurrent) setMails(answer.ok ? answer.value.mails : []);
    });
    return () => {
      isCurrent = false;
    };
  }, []);
  return (
    <Front title="Outbox" about="Mails that this development server did not send, the newest first.">
      {submission.problem !== null && (
        <p className="problem" role="alert">
          {submission.problem}
        </p>
      )}
      {mails?.length === 0 && <p>There are none.</p>}
      {mails?.map(({ to, subject, text }, number) => (
        <article className="card mail" key={`${mails.length - number}`} data-testid="mail">
          <h2>{visible(subject)}</h2>
          <p className="field-hint">
            To <bdi>{visible(to)}</bdi>
          </p>
          <div className="mail-text">
            {linkify(text).map((piece, index) =>
              "href" in piece ? (
                <a key={index} href={piece.href} data-testid="mail-link">
                  {piece.text}
                </a>
              ) : (
                visible(piece.text)
              ),
            )}
          </div>
        </article>
      ))}
      <div className="account-ways">
        <Button onPress={() => void submission.run(() => accounts.outbox(), (answer) => setMails(answer.mails))}>Look again</Button>
        <Go to="/c">Log in</Go>
      </div>
    </Front>
  );
}
