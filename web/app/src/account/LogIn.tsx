/** Logging in: with an account, in one step or two; on a development server also by saying a name. */

import type { LoggedIn } from "@tertulia/client";
import { useEffect, useState, type ReactNode } from "react";

import { remember, remembered } from "../memory";
import { failureText } from "../text/errors";
import { useTitle } from "../ui/hooks";
import { logIn as logInByName } from "../workspace/login";
import { useOptions } from "./options";
import { EmailField, Field, Form, Front, Go, PasswordField } from "./parts";
import { Providers, useWayBack } from "./providers";
import { accounts, session } from "./session";
import { useSubmission } from "./submission";

interface LogInProps {
  /** Somebody said a name on a development server. */
  readonly onDevelopment: (login: LoggedIn) => void;
}

export function LogIn({ onDevelopment }: LogInProps): ReactNode {
  const { options, failure } = useOptions();
  const back = useWayBack();
  const [ticket, setTicket] = useState(back.ticket);
  const problem = failure ?? back.failure;
  useTitle("Log in · Tertulia");
  // Cookies may be there although nothing else was kept; then there is nothing to ask.
  useEffect(() => void session.restore(), []);
  if (ticket !== null) return <SecondStep ticket={ticket} onBack={() => setTicket(null)} />;
  return (
    <Front title="Your conversations" about={options?.owner === false && !options.development ? undefined : "Log in to go on where you were."}>
      {problem !== null && (
        <p className="problem" role="alert" data-testid="log-in-problem">
          {failureText(problem)}
        </p>
      )}
      {options?.owner === true && <Password onTicket={setTicket} mayRegister={options.registration === "open" || options.registration === "domain"} />}
      {options?.owner === true && <Providers />}
      {options?.owner === false && (
        <section className="card account-note" data-testid="no-owner">
          <h2>There are no accounts yet</h2>
          <p>
            Whoever runs this server becomes its owner: open the link that <code>tertulia serve</code> printed when it started, and
            invite the others from there.
          </p>
        </section>
      )}
      {options?.development === true && <Development onDone={onDevelopment} />}
    </Front>
  );
}

function Password({ onTicket, mayRegister }: { readonly onTicket: (ticket: string) => void; readonly mayRegister: boolean }): ReactNode {
  const [email, setEmail] = useState(remembered("email"));
  const [password, setPassword] = useState("");
  const submission = useSubmission();
  const submit = (): void => {
    void submission.run(
      () => accounts.logIn(email.trim(), password),
      (answer) => {
        remember("email", email.trim());
        if (answer.session !== null) remember("name", answer.session.account.name);
        else if (answer.ticket !== null) onTicket(answer.ticket);
      },
    );
  };
  return (
    <div className="card">
      <Form submission={submission} onSubmit={submit} label="Log in" isReady={email.trim() !== "" && password !== ""} testId="account-login">
        <EmailField value={email} onChange={setEmail} isUsername testId="account-email" />
        <PasswordField label="Password" value={password} onChange={setPassword} testId="account-password" />
      </Form>
      <p className="account-links">
        <Go to="/recover" testId="forgot">
          Forgot your password?
        </Go>
        {mayRegister && (
          <Go to="/register" testId="go-register">
            Make an account
          </Go>
        )}
      </p>
    </div>
  );
}

function SecondStep({ ticket, onBack }: { readonly ticket: string; readonly onBack: () => void }): ReactNode {
  const [code, setCode] = useState("");
  const submission = useSubmission();
  const isOver = submission.failure?.kind === "refused" && submission.failure.code === "link-invalid";
  const submit = (): void => {
    void submission.run(
      () => accounts.secondFactor(ticket, code.trim()),
      ({ account }) => remember("name", account.name),
    );
  };
  return (
    <Front title="One more step" about="Your account asks for a code besides the password.">
      <div className="card">
        {isOver ? (
          <p className="problem" role="alert">
            That took too long. Log in with your password again.
          </p>
        ) : (
          <Form submission={submission} onSubmit={submit} label="Go on" isReady={code.trim().length >= 6} testId="second-step">
            <Field
              label="Code"
              value={code}
              onChange={setCode}
              autoComplete="one-time-code"
              maxLength={32}
              hint="From your authenticator app; one of your recovery codes does, too."
              testId="second-code"
            />
          </Form>
        )}
        <p className="account-links">
          <button type="button" className="link-button" onClick={onBack}>
            Back to the password
          </button>
        </p>
      </div>
    </Front>
  );
}

function Development({ onDone }: { readonly onDone: (login: LoggedIn) => void }): ReactNode {
  const [name, setName] = useState(remembered("name"));
  const submission = useSubmission();
  const submit = (): void => {
    void submission.run(
      () => logInByName(name.trim()),
      (login) => {
        remember("name", name.trim());
        onDone(login);
      },
    );
  };
  return (
    <section className="card" aria-label="Development log-in">
      <p className="field-hint">
        This is a development server that only this machine reaches: whoever gives a name is that person, without an account.
      </p>
      <Form submission={submission} onSubmit={submit} label="Come in" look="quiet" isReady={name.trim() !== ""} testId="login-form" submitTestId="login">
        <Field label="Your name" value={name} onChange={setName} autoComplete="nickname" maxLength={64} testId="login-name" />
      </Form>
    </section>
  );
}
