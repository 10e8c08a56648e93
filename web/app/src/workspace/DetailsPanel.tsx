/** Who is in a conversation and how it is set; what may be changed depends on one's role. */

import type { Conversation, Member, Person, Result } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useState, type ReactNode, type SubmitEvent } from "react";

import { PanelFrame } from "../ui/PanelFrame";
import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { Name } from "../text/Prose";
import { visible, visibleName } from "../text/visible";
import { useAnnouncer } from "../ui/announce";
import { Button, Select } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import { LinkIcon } from "../ui/icons";
import { PersonAvatar } from "../ui/presence";
import { MemberMenu } from "./MemberMenu";
import { PeoplePicker } from "./PeoplePicker";

interface DetailsPanelProps {
  readonly workspace: Workspace;
  readonly conversation: Conversation;
  readonly people: readonly Member[];
  /** Members were changed from here. */
  readonly onChanged: () => void;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

const RETENTIONS: readonly { readonly id: string; readonly label: string }[] = [
  { id: "0", label: "Stay" },
  { id: "60", label: "Disappear after a minute" },
  { id: "3600", label: "Disappear after an hour" },
  { id: "86400", label: "Disappear after a day" },
  { id: "604800", label: "Disappear after a week" },
  { id: "2592000", label: "Disappear after 30 days" },
];

const NOBODY: readonly string[] = [];

export function DetailsPanel(props: DetailsPanelProps): ReactNode {
  const { workspace, conversation, people, onChanged, onClose, isSheet } = props;
  const { id, kind, role } = conversation;
  const announcer = useAnnouncer();
  const isOwner = role === "owner";
  const isModerator = isOwner || role === "moderator";
  const isManaged = kind !== "direct" && kind !== "room";
  const me = workspace.snapshot.me?.id ?? null;
  const blocked = useObserved(workspace, "change", () => workspace.snapshot.me?.blocked ?? NOBODY);
  const block = async ({ id: user, name }: Member): Promise<void> => {
    const isBlocked = blocked.includes(user);
    const done = await workspace.block(user, !isBlocked);
    if (!done.ok) announcer.warn(failureText(done.error));
    else if (isBlocked) announcer.say(`${visibleName(name)} is not blocked any more.`);
    else announcer.offer(`${visibleName(name)} is blocked.`, "Undo", () => void workspace.block(user, false));
  };
  const change = { conversation: id, client_id: "" };
  /** Does something under a new client id, and says why if it was refused. */
  const act = async (request: (base: typeof change) => Promise<Result<unknown>>): Promise<boolean> => {
    const done = await request({ conversation: id, client_id: workspace.makeId() });
    if (!done.ok) announcer.warn(failureText(done.error));
    return done.ok;
  };
  const invite = async (): Promise<void> => {
    const made = await workspace.request("create-invite", { conversation: id });
    if (!made.ok) { announcer.warn(failureText(made.error)); return; }
    const link = `${location.origin}/i/${made.value.token}`;
    try {
      await navigator.clipboard.writeText(link);
      announcer.say("Invitation copied. It holds for a week.");
    } catch {
      announcer.say(link);
    }
  };
  const leave = async (): Promise<void> => {
    if (!(await act((base) => workspace.request("leave-conversation", base)))) return;
    workspace.list.handleRemoved(id);
    navigate("/c");
  };
  return (
    <PanelFrame title="Members and settings" testId="details" isSheet={isSheet} onClose={onClose}>
      <div className="panel-scroll details">
        {conversation.about !== "" && <p className="details-about" dir="auto">
            {visible(conversation.about)}
          </p>}
        {isModerator && isManaged && (
          <Settings conversation={conversation} onSave={(set) => act((base) => workspace.request("update-conversation", { ...base, ...set }))} />
        )}
        {(isModerator || kind === "direct") && (
          <Select
            label="Messages"
            choices={RETENTIONS.some((one) => Number(one.id) === conversation.retention_s) ? RETENTIONS : [...RETENTIONS, { id: String(conversation.retention_s), label: `Disappear after ${conversation.retention_s} s` }]}
            chosen={String(conversation.retention_s)}
            onChoose={(text) => void act((base) => workspace.request("update-conversation", { ...base, retention_s: Number(text) }))}
            placeholder=""
            testId="retention"
          />
        )}
        {kind !== "direct" && <h3>Members ({conversation.members})</h3>}
        {isManaged && (
          <AddMembers
            workspace={workspace}
            without={people.map((one) => one.id)}
            onAdd={async (person) => {
              const done = await act((base) => workspace.request("add-member", { ...base, user: person.id }));
              if (done) onChanged();
              return done;
            }}
          />
        )}
        <ul className="members" aria-label="Members">
          {people.map((member) => (
            <li key={member.id} className="person" data-testid="member">
              <PersonAvatar name={member.name} id={member.id} />
              <span className="person-name">
                <Name name={member.name} />
                <small>
                  {member.id === me ? "You · " : ""}
                  {member.id} · {member.role}
                </small>
              </span>
              {member.id !== me && (
                <MemberMenu
                  member={member}
                  isBlocked={blocked.includes(member.id)}
                  canModerate={isModerator && isManaged}
                  canGiveRoles={isOwner && isManaged}
                  onMessage={kind === "direct" ? null : () => void openDirect(workspace, member.id)}
                  onBlock={() => void block(member)}
                  onRole={(next) => void act((base) => workspace.request("set-role", { ...base, user: member.id, role: next })).then((done) => done && onChanged())}
                  onRemove={() => void act((base) => workspace.request("remove-member", { ...base, user: member.id })).then((done) => done && onChanged())}
                />
              )}
            </li>
          ))}
        </ul>
        {isManaged && (
          <div className="details-ways">
            <Button onPress={() => void invite()} testId="invite-link">
              <LinkIcon /> Copy invitation
            </Button>
            {isModerator && (
              <Button onPress={() => void act(({ conversation: where }) => workspace.request("revoke-invites", { conversation: where }))}>
                End all invitations
              </Button>
            )}
            <Button look="danger" onPress={() => void leave()} testId="leave-conversation">
              Leave
            </Button>
          </div>
        )}
      </div>
    </PanelFrame>
  );
}

async function openDirect(workspace: Workspace, user: string): Promise<void> {
  const opened = await workspace.request("open-direct", { user });
  if (!opened.ok) return;
  workspace.handleConversation(opened.value);
  navigate(conversationPath(opened.value.id));
}

interface SettingsProps {
  readonly conversation: Conversation;
  readonly onSave: (set: { title?: string; about?: string; history_from_join?: boolean }) => Promise<boolean>;
}

function Settings({ conversation, onSave }: SettingsProps): ReactNode {
  const [title, setTitle] = useState(conversation.title);
  const [about, setAbout] = useState(conversation.about);
  const isChanged = title !== conversation.title || about !== conversation.about;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void onSave({ ...(title === conversation.title ? {} : { title }), ...(about === conversation.about ? {} : { about }) });
  };
  return (
    <form className="dialog-form" onSubmit={submit}>
      <label className="field">
        <span className="field-label">Name</span>
        <input className="input" value={title} maxLength={80} dir="auto" onChange={(event) => setTitle(event.target.value)} data-testid="rename" />
      </label>
      <label className="field">
        <span className="field-label">What it is about</span>
        <input className="input" value={about} maxLength={500} dir="auto" onChange={(event) => setAbout(event.target.value)} data-testid="about" />
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={conversation.history_from_join}
          onChange={(event) => void onSave({ history_from_join: event.target.checked })}
          data-testid="history-from-join"
        />
        Newcomers see only what is written after they join
      </label>
      {isChanged && (
        <Button look="primary" type="submit" isDisabled={title.trim() === ""} testId="rename-save">
          Save
        </Button>
      )}
    </form>
  );
}

interface AddMembersProps {
  readonly workspace: Workspace;
  readonly without: readonly string[];
  readonly onAdd: (person: Person) => Promise<boolean>;
}

function AddMembers({ workspace, without, onAdd }: AddMembersProps): ReactNode {
  const [people, setPeople] = useState<readonly Person[]>([]);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    for (const person of people) {
      if (!(await onAdd(person))) return;
      setPeople((before) => before.filter((one) => one.id !== person.id));
    }
  };
  return (
    <form className="add-member" onSubmit={(event) => void submit(event)}>
      <PeoplePicker workspace={workspace} label="Add people" chosen={people} onChange={setPeople} without={without} testId="add-member" />
      {people.length > 0 && (
        <Button type="submit" look="primary" testId="add-members">
          Add
        </Button>
      )}
    </form>
  );
}
