/** The few controls everything is made of: buttons with tooltips (react-aria-components), and lists to choose from. */

import type { ReactNode } from "react";
import { Button as AriaButton, Tooltip, TooltipTrigger } from "react-aria-components";

import { ChevronIcon } from "./icons";

interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  readonly look?: "primary" | "quiet" | "danger";
  readonly type?: "button" | "submit";
  readonly isDisabled?: boolean;
  readonly testId?: string;
}

export function Button({ children, onPress, look = "quiet", type = "button", isDisabled, testId }: ButtonProps): ReactNode {
  return (
    <AriaButton
      className={`button ${look}`}
      type={type}
      {...(onPress === undefined ? {} : { onPress })}
      isDisabled={isDisabled ?? false}
      data-testid={testId}
    >
      {children}
    </AriaButton>
  );
}

interface IconButtonProps {
  /** What the control does; read out, and shown as its tooltip. */
  readonly label: string;
  readonly shortcut?: string;
  readonly icon: ReactNode;
  readonly onPress: () => void;
  readonly look?: "plain" | "control" | "danger";
  /** For switches: whether it is on. */
  readonly isOn?: boolean;
  /** Draws attention: something of one's own is off. */
  readonly isWarning?: boolean;
  readonly isDisabled?: boolean;
  readonly badge?: string | null;
  readonly testId?: string;
}

export function IconButton(props: IconButtonProps): ReactNode {
  const { label, shortcut, icon, onPress, look = "plain", isOn, isWarning, isDisabled, badge, testId } = props;
  return (
    <TooltipTrigger delay={400} closeDelay={0}>
      <AriaButton
        className={`icon-button ${look}`}
        aria-label={badge == null ? label : `${label} (${badge})`}
        {...(isOn === undefined ? {} : { "aria-pressed": isOn })}
        data-on={isOn}
        data-warning={isWarning}
        data-testid={testId}
        isDisabled={isDisabled ?? false}
        onPress={onPress}
      >
        {icon}
        {badge != null && (
          <span className="badge" aria-hidden="true">
            {badge}
          </span>
        )}
      </AriaButton>
      <Tooltip className="tooltip" offset={8}>
        {label}
        {shortcut !== undefined && <kbd>{shortcut}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  );
}

export interface Choice {
  readonly id: string;
  readonly label: string;
}

interface SelectProps {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
  readonly placeholder: string;
  readonly testId?: string;
}

/** The browser's own list: on phones nothing else is as good, and it costs nothing to load. */
export function Select({ label, choices, chosen, onChoose, placeholder, testId }: SelectProps): ReactNode {
  return (
    <label className="field">
      <span className="field-label">{label}</span>
      <span className="select">
        <select
          value={chosen ?? ""}
          disabled={choices.length === 0}
          onChange={(event) => onChoose(event.target.value)}
          data-testid={testId}
        >
          {chosen === null && <option value="">{placeholder}</option>}
          {choices.map((choice) => (
            <option key={choice.id} value={choice.id}>
              {choice.label}
            </option>
          ))}
        </select>
        <ChevronIcon />
      </span>
    </label>
  );
}
