/** What the pages of accounts are made of: their frame, their forms and fields. */

import { useId, useState, type ReactNode, type SubmitEvent } from "react";

import { navigate } from "../router";
import { Button } from "../ui/controls";
import { Mark } from "../ui/icons";
import type { Submission } from "./submission";

interface FrontProps {
  readonly title: string;
  readonly about?: ReactNode;
  readonly children: ReactNode;
}

/** A page for somebody who is not logged in: one question, in the middle. */
export function Front({ title, about, children }: FrontProps): ReactNode {
  return (
    <main className="start account-front">
      <header className="brand">
        <Mark />
        <span>Tertulia</span>
      </header>
      <div className="start-words">
        <h1>{title}</h1>
        {about !== undefined && <p>{about}</p>}
      </div>
      {children}
    </main>
  );
}

/** A link inside the page. */
export function Go({ to, children, testId }: { readonly to: string; readonly children: ReactNode; readonly testId?: string }): ReactNode {
  return (
    <a
      href={to}
      data-testid={testId}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
}

interface FormProps {
  readonly submission: Submission;
  readonly onSubmit: () => void;
  readonly label: string;
  readonly isReady?: boolean;
  readonly look?: "primary" | "quiet" | "danger";
  readonly className?: string;
  readonly testId: string;
  readonly submitTestId?: string;
  readonly children: ReactNode;
  /** Beside the button. */
  readonly more?: ReactNode;
}

export function Form(props: FormProps): ReactNode {
  const { submission, onSubmit, label, isReady = true, look = "primary", className = "account-form", testId, children, more } = props;
  const { submitTestId = `${testId}-submit` } = props;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (isReady) onSubmit();
  };
  return (
    <form className={className} onSubmit={submit} data-testid={testId}>
      {children}
      {submission.problem !== null && (
        <p className="problem" role="alert" data-testid={`${testId}-problem`}>
          {submission.problem}
        </p>
      )}
      <div className="account-ways">
        <Button look={look} type="submit" isDisabled={!isReady || submission.isBusy || submission.isWaiting} testId={submitTestId}>
          {submission.isBusy ? "One moment…" : label}
        </Button>
        {more}
      </div>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "email" | "password";
  readonly autoComplete: string;
  readonly maxLength: number;
  readonly hint?: string;
  readonly isRequired?: boolean;
  readonly isReadOnly?: boolean;
  readonly inputMode?: "numeric" | "email";
  readonly testId: string;
}

export function Field(props: FieldProps): ReactNode {
  const { label, value, onChange, type = "text", autoComplete, maxLength, hint, isRequired = true, isReadOnly = false, inputMode, testId } = props;
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        className="input"
        type={type}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        autoComplete={autoComplete}
        maxLength={maxLength}
        required={isRequired}
        readOnly={isReadOnly}
        inputMode={inputMode}
        dir="auto"
        aria-describedby={hint === undefined ? undefined : hintId}
        data-testid={testId}
      />
      {hint !== undefined && (
        <small id={hintId} className="field-hint">
          {hint}
        </small>
      )}
    </div>
  );
}

export const PASSWORD_MIN = 10;

/** A password, which can be looked at while it is written. */
export function PasswordField(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isNew?: boolean;
  readonly testId: string;
}): ReactNode {
  const { label, value, onChange, isNew = false, testId } = props;
  const [isShown, setShown] = useState(false);
  return (
    <div className="password-field">
      <Field
        label={label}
        value={value}
        onChange={onChange}
        type={isShown ? "text" : "password"}
        autoComplete={isNew ? "new-password" : "current-password"}
        maxLength={256}
        {...(isNew ? { hint: `At least ${PASSWORD_MIN} characters. A few words in a row are good and easy to remember.` } : {})}
        testId={testId}
      />
      <button type="button" className="password-show" aria-pressed={isShown} aria-label={`Show ${label.toLowerCase()}`} onClick={() => setShown(!isShown)}>
        {isShown ? "Hide" : "Show"}
      </button>
    </div>
  );
}

export function EmailField(props: {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isUsername?: boolean;
  readonly isReadOnly?: boolean;
  readonly testId: string;
}): ReactNode {
  const { value, onChange, isUsername = false, isReadOnly = false, testId } = props;
  return (
    <Field
      label="E-mail address"
      value={value}
      onChange={onChange}
      type="email"
      autoComplete={isUsername ? "username" : "email"}
      maxLength={254}
      isReadOnly={isReadOnly}
      testId={testId}
    />
  );
}
