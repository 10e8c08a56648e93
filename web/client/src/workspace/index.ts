/** Conversations outside of rooms. Apart from the rest, so that a page for a room alone does not load it. */

export { ConversationList, UNREAD_MAX, type ListSnapshot } from "./list.js";
export { browserStore } from "./offline.js";
export { People } from "./people.js";
export { Typing } from "./typing.js";
export { Workspace, type WorkspaceOptions, type WorkspaceSnapshot } from "./workspace.js";
