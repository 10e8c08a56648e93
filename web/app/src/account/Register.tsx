/** Making an account: ask for a link by mail, or come with one and choose a name and a password. */

import type { AuthOptions, LinkInfo } from "@tertulia/client";
import { useState, type ReactNode } from "react";

import { remember } from "../memory";
import { navigate, useHash } from "../router";
import { failureText } from "../text/errors";
import { useTitle } from "../ui/hooks";
import { useLink } from "./link";
import { useOptions } from "./options";
import { EmailField, Field, Form, Front, Go, PASSWORD_MIN, PasswordField } from "./parts";
import { accounts, useSession } from "./session";
import { useSubmission } from "./submission";

export function Register(): ReactNode {
  const token = useHash();
  useTitle("Make an account · Tertulia");
  return token === "" ? <WithoutLink /> : <WithLink key={token} token={token} />;
}

function WithoutLink(): ReactNode {
  const { options, failure } = useOptions();
  if (failure !== null) return <Front title="Make an account" about={failureText(failure)}>{null}</Front>;
  if (options === null) return <Front title="Make an account">{null}</Front>;
  if (options.registration === "open" || options.registration === "domain") {
    const about = options.registration === "domain" ? "This server is for people with an address of certain domains." : undefined;
    return <AskForLink options={options} invite={null} about={about} />;
  }
  return (
    <Front
      title="By invitation only"
      about={
        options.registration === "invitation"
          ? "New people come with a link here. Ask an administrator of this server to send you one."
          : "This server takes no new accounts."
      }
    >
      <p className="account-links">
        <Go to="/c">Log in</Go>
      </p>
    </Front>
  );
}

function WithLink({ token }: { readonly token: string }): ReactNode {
  const link = useLink(token);
  const { options } = useOptions();
  if (link === null) return <Front title="Make an account">{null}</Front>;
  if (!link.ok) return <BadLink text={failureText(link.error)} />;
  const { purpose, email } = link.value;
  if (purpose === "reset") return <BadLink text="This link is for a new password." />;
  if (purpose === "invite" && email === null) {
    if (options === null) return <Front title="You are invited">{null}</Front>;
    return <AskForLink options={options} invite={token} about="Say your e-mail address; you get a link by mail that makes the account." />;
  }
  return <Finish token={token} link={link.value} />;
}

export function BadLink({ text }: { readonly text: string }): ReactNode {
  return (
    <Front title="This link does not work">
      <p className="problem" role="alert" data-testid="bad-link">
        {text}
      </p>
      <p className="account-links">
        <Go to="/c">Log in</Go>
      </p>
    </Front>
  );
}

interface AskProps {
  readonly options: AuthOptions;
  readonly invite: string | null;
  readonly about?: string | undefined;
}

function AskForLink({ options, invite, about }: AskProps): ReactNode {
  const [email, setEmail] = useState("");
  const [sentTo, setSentTo] = useState<string | null>(null);
  const submission = useSubmission();
  const submit = (): void => void submission.run(() => accounts.register(email.trim(), invite), () => setSentTo(email.trim()));
  if (sentTo !== null) return <Sent to={sentTo} options={options} />;
  return (
    <Front title={invite === null ? "Make an account" : "You are invited"} about={about}>
      <div className="card">
        <Form submission={submission} onSubmit={submit} label="Send me a link" isReady={email.trim() !== ""} testId="register">
          <EmailField value={email} onChange={setEmail} testId="register-email" />
        </Form>
        <p className="account-links">
          <Go to="/c">I have an account</Go>
        </p>
      </div>
    </Front>
  );
}

/** The same words whether the address has an account; what it is, the mail says. */
export function Sent({ to, options }: { readonly to: string; readonly options: AuthOptions | null }): ReactNode {
  return (
    <Front title="Look into your mail">
      <div className="card" data-testid="mail-sent">
        <p>
          A mail is on its way to <bdi className="strong">{to}</bdi>. Open the link in it to go on; it may take a minute, and it may lie in
          the folder for unwanted mail.
        </p>
        {options?.outbox === true && (
          <p>
            This development server sends no mail; it shows what it would send: <Go to="/outbox" testId="go-outbox">its outbox</Go>.
          </p>
        )}
        <p className="account-links">
          <Go to="/c">Log in</Go>
        </p>
      </div>
    </Front>
  );
}

/** The link is good: who are you, and how will you log in? */
export function Finish({ token, link }: { readonly token: string; readonly link: LinkInfo }): ReactNode {
  const known = useSession();
  const isOwner = link.purpose === "owner";
  const [email, setEmail] = useState(link.email ?? "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const submission = useSubmission();
  const isReady = email.trim() !== "" && name.trim() !== "" && password.length >= PASSWORD_MIN;
  const submit = (): void => {
    void submission.run(
      () => accounts.finishRegistration({ token, name: name.trim(), password, ...(isOwner ? { email: email.trim() } : {}) }),
      ({ account }) => {
        remember("email", account.email);
        remember("name", account.name);
        navigate("/c");
      },
    );
  };
  return (
    <Front
      title={isOwner ? "Welcome" : "Make your account"}
      about={isOwner ? "You run this server. The account you make now owns it: you invite the others and decide who may do what." : roleAbout(link)}
    >
      <div className="card">
        {known !== null && (
          <p className="field-hint">
            You are logged in as <bdi>{known.name}</bdi> in this browser; afterwards you are logged in with the new account.
          </p>
        )}
        <Form submission={submission} onSubmit={submit} label="Make the account" isReady={isReady} testId="finish">
          <EmailField value={email} onChange={setEmail} isUsername isReadOnly={!isOwner} testId="finish-email" />
          <Field label="Your name, as others see it" value={name} onChange={setName} autoComplete="name" maxLength={64} testId="finish-name" />
          <PasswordField label="Password" value={password} onChange={setPassword} isNew testId="finish-password" />
        </Form>
      </div>
    </Front>
  );
}

function roleAbout({ role }: LinkInfo): string {
  switch (role) {
    case "admin":
      return "You are invited as an administrator.";
    case "guest":
      return "You are invited as a guest.";
    case "owner":
      return "You are invited as an owner of this server.";
    default:
      return "Choose how others see you, and a password.";
  }
}
