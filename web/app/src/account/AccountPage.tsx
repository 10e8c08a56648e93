/** The pages of accounts that need no log-in, by their names; whoever logs in goes on to the conversations. */

import { useEffect, type ReactNode } from "react";

import { navigate, type AccountPageName } from "../router";
import { OutboxPage } from "./OutboxPage";
import { Recover } from "./Recover";
import { Register } from "./Register";
import { Welcome } from "./Welcome";

import "../theme/account.css";

export function AccountPage({ name }: { readonly name: AccountPageName }): ReactNode {
  switch (name) {
    case "login":
      return <ToConversations />;
    case "register":
      return <Register />;
    case "welcome":
      return <Welcome />;
    case "recover":
      return <Recover />;
    case "outbox":
      return <OutboxPage />;
  }
}

/** Logging in happens where one wants to go; what a provider's way back says goes along. */
function ToConversations(): ReactNode {
  useEffect(() => navigate(`/c${location.hash}`), []);
  return null;
}
