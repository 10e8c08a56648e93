/** The dialogs that can be opened over the workspace, one at a time. */
export type DialogName = "new" | "browse" | "shortcuts" | "status" | "blocked" | "settings";
