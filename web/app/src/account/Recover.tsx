/** A forgotten password: ask for a link by mail, or come with one and choose a new password. */

import { useState, type ReactNode } from "react";

import { remembered } from "../memory";
import { useHash } from "../router";
import { failureText } from "../text/errors";
import { useTitle } from "../ui/hooks";
import { useLink } from "./link";
import { useOptions } from "./options";
import { EmailField, Form, Front, Go, PASSWORD_MIN, PasswordField } from "./parts";
import { BadLink, Sent } from "./Register";
import { accounts, session } from "./session";
import { useSubmission } from "./submission";

export function Recover(): ReactNode {
  const token = useHash();
  useTitle("New password · Tertulia");
  return token === "" ? <AskForLink /> : <WithLink key={token} token={token} />;
}

function AskForLink(): ReactNode {
  const { options } = useOptions();
  const [email, setEmail] = useState(remembered("email"));
  const [sentTo, setSentTo] = useState<string | null>(null);
  const submission = useSubmission();
  const submit = (): void => void submission.run(() => accounts.recover(email.trim()), () => setSentTo(email.trim()));
  if (sentTo !== null) return <Sent to={sentTo} options={options} />;
  if (options?.mail === false) {
    return (
      <Front title="A new password" about="This server sends no mail. Ask one of its administrators for a link: they make it on their page People.">
        <p className="account-links">
          <Go to="/c">Back to log in</Go>
        </p>
      </Front>
    );
  }
  return (
    <Front title="A new password" about="Say your address. If it has an account, a link to choose a new password goes there.">
      <div className="card">
        <Form submission={submission} onSubmit={submit} label="Send me a link" isReady={email.trim() !== ""} testId="recover">
          <EmailField value={email} onChange={setEmail} isUsername testId="recover-email" />
        </Form>
        <p className="account-links">
          <Go to="/c">Back to log in</Go>
        </p>
      </div>
    </Front>
  );
}

function WithLink({ token }: { readonly token: string }): ReactNode {
  const link = useLink(token);
  const [password, setPassword] = useState("");
  const [isDone, setDone] = useState(false);
  const submission = useSubmission();
  const submit = (): void => {
    void submission.run(
      () => accounts.finishRecovery(token, password),
      () => {
        // It ended all sessions; this browser's may have been another account's, which the next request finds out.
        void session.fresh(true);
        setDone(true);
      },
    );
  };
  if (isDone) {
    return (
      <Front title="That is your new password" about="All devices were logged out. Log in with it.">
        <p className="account-links">
          <Go to="/c" testId="recovered">
            Log in
          </Go>
        </p>
      </Front>
    );
  }
  if (link === null) return <Front title="A new password">{null}</Front>;
  if (!link.ok) return <BadLink text={failureText(link.error)} />;
  if (link.value.purpose !== "reset") return <BadLink text="This link is not for a new password." />;
  return (
    <Front title="A new password" about="Afterwards you log in with it, everywhere.">
      <div className="card">
        <Form submission={submission} onSubmit={submit} label="Set the password" isReady={password.length >= PASSWORD_MIN} testId="reset">
          <EmailField value={link.value.email ?? ""} onChange={() => undefined} isUsername isReadOnly testId="reset-email" />
          <PasswordField label="New password" value={password} onChange={setPassword} isNew testId="reset-password" />
        </Form>
      </div>
    </Front>
  );
}
