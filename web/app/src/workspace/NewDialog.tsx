/** Starts a conversation: with one person, a group, or a channel. */

import type { MadeKind, Person } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useState, type ReactNode, type SubmitEvent } from "react";

import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { Button, Select } from "../ui/controls";
import { PeoplePicker } from "./PeoplePicker";
import { Window } from "./Window";

const KINDS: readonly { readonly id: MadeKind | "direct"; readonly label: string }[] = [
  { id: "direct", label: "Direct: you and one other" },
  { id: "group", label: "Group: people whom you invite" },
  { id: "public", label: "Channel: everybody may find and join it" },
  { id: "private", label: "Private channel: by invitation" },
  { id: "announcement", label: "Announcements: only moderators write" },
];

export function NewDialog({ workspace, onClose }: { readonly workspace: Workspace; readonly onClose: () => void }): ReactNode {
  const [kind, setKind] = useState<MadeKind | "direct">("direct");
  const [title, setTitle] = useState("");
  const [about, setAbout] = useState("");
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [isFromJoin, setFromJoin] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const made =
      kind === "direct"
        ? await workspace.request("open-direct", { user: people[0]?.id ?? "" })
        : await workspace.request("create-conversation", {
            client_id: workspace.makeId(),
            kind,
            title: title.trim(),
            about: about.trim(),
            members: people.map(({ id }) => id),
            history_from_join: isFromJoin,
          });
    setBusy(false);
    if (!made.ok) { setProblem(failureText(made.error)); return; }
    workspace.handleConversation(made.value);
    onClose();
    navigate(conversationPath(made.value.id));
  };
  const isReady = kind === "direct" ? people.length === 1 : title.trim() !== "";
  return (
    <Window title="New conversation" testId="new-dialog" onClose={onClose}>
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <Select
          label="What kind"
          choices={KINDS}
          chosen={kind}
          onChoose={(id) => {
            setKind(KINDS.find((one) => one.id === id)?.id ?? "group");
            if (id === "direct") setPeople(people.slice(0, 1));
          }}
          placeholder=""
          testId="new-kind"
        />
        {kind !== "direct" && (
          <label className="field">
            <span className="field-label">Name</span>
            <input className="input" value={title} maxLength={80} dir="auto" onChange={(event) => setTitle(event.target.value)} data-testid="new-title" />
          </label>
        )}
        <PeoplePicker
          key={kind === "direct" ? "one" : "many"}
          workspace={workspace}
          label={kind === "direct" ? "With whom" : "Who is in it, to begin with"}
          chosen={people}
          onChange={setPeople}
          isSingle={kind === "direct"}
          testId="new-people"
        />
        {kind !== "direct" && (
          <label className="field">
            <span className="field-label">What it is about, if you like</span>
            <input className="input" value={about} maxLength={500} dir="auto" onChange={(event) => setAbout(event.target.value)} />
          </label>
        )}
        {kind !== "direct" && (
          <label className="check">
            <input type="checkbox" checked={isFromJoin} onChange={(event) => setFromJoin(event.target.checked)} />
            Newcomers see only what is written after they join
          </label>
        )}
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <Button look="primary" type="submit" isDisabled={isBusy || !isReady} testId="new-create">
          Start
        </Button>
      </form>
    </Window>
  );
}
