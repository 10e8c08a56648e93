/** Who is in a conversation and how it is set; what may be changed depends on one's role. */

import type { Conversation, Member, Person, Result, Role } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useState, type ReactNode, type SubmitEvent } from "react";

import { PanelFrame } from "../ui/PanelFrame";
import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { Name } from "../text/Prose";
import { visible } from "../text/visible";
import { useAnnouncer } from "../ui/announce";
import { Button, Select } from "../ui/controls";
import { LinkIcon } from "../ui/icons";
import { PersonAvatar } from "../ui/presence";
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

export function DetailsPanel(props: DetailsPanelProps): ReactNode {
  const { workspace, conversation, people, onChanged, onClose, isSheet } = props;
  const { id, kind, role } = conversation;
  const announcer = useAnnouncer();
  const isOwner = role === "owner";
  const isModerator = isOwner || role === "moderator";
  const me = workspace.snapshot.me?.id ?? null;
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
        {conversation.about !== "" && <p className="details-about">{visible(conversation.about)}</p>}
        {isModerator && kind !== "direct" && kind !== "room" && (
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
        {kind !== "direct" && kind !== "room" && (
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
              {isModerator && member.id !== me && kind !== "direct" && kind !== "room" && (
                <MemberWays
                  member={member}
                  isOwner={isOwner}
                  onRole={(next) => void act((base) => workspace.request("set-role", { ...base, user: member.id, role: next })).then((done) => done && onChanged())}
                  onRemove={() => void act((base) => workspace.request("remove-member", { ...base, user: member.id })).then((done) => done && onChanged())}
                />
              )}
              {member.id !== me && kind !== "direct" && (
                <Button onPress={() => void openDirect(workspace, member.id)}>Message</Button>
              )}
            </li>
          ))}
        </ul>
        {kind !== "direct" && kind !== "room" && (
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
  readonly onSave: (set: { title?: string; about?: string }) => Promise<boolean>;
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
        <input className="input" value={title} maxLength={80} onChange={(event) => setTitle(event.target.value)} data-testid="rename" />
      </label>
      <label className="field">
        <span className="field-label">What it is about</span>
        <input className="input" value={about} maxLength={500} onChange={(event) => setAbout(event.target.value)} />
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

const ROLES: readonly { readonly id: Exclude<Role, "guest">; readonly label: string }[] = [
  { id: "member", label: "Member" },
  { id: "moderator", label: "Moderator" },
  { id: "owner", label: "Owner" },
];

interface MemberWaysProps {
  readonly member: Member;
  readonly isOwner: boolean;
  readonly onRole: (role: Exclude<Role, "guest">) => void;
  readonly onRemove: () => void;
}

function MemberWays({ member, isOwner, onRole, onRemove }: MemberWaysProps): ReactNode {
  return (
    <>
      {isOwner && (
        <select className="role" aria-label={`Role of ${visible(member.name)}`} value={member.role} onChange={(event) => onRole(ROLES.find(({ id }) => id === event.target.value)?.id ?? "member")}>
          {ROLES.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      )}
      <Button onPress={onRemove}>Remove</Button>
    </>
  );
}
