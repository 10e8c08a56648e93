/** The first start: whoever has the link that the server printed makes the owner's account. */

import type { ReactNode } from "react";

import { useHash } from "../router";
import { failureText } from "../text/errors";
import { useTitle } from "../ui/hooks";
import { useLink } from "./link";
import { Front } from "./parts";
import { BadLink, Finish } from "./Register";

export function Welcome(): ReactNode {
  const token = useHash();
  useTitle("Welcome · Tertulia");
  if (token === "") return <BadLink text="The address is not complete: open it just as the server printed it, with everything after the #." />;
  return <WithLink key={token} token={token} />;
}

function WithLink({ token }: { readonly token: string }): ReactNode {
  const link = useLink(token);
  if (link === null) return <Front title="Welcome">{null}</Front>;
  if (link.ok) return <Finish token={token} link={link.value} />;
  const isRefused = link.error.kind === "refused" && link.error.code === "link-invalid";
  return (
    <BadLink
      text={
        isRefused
          ? "The link is good for a day and until there is an owner. If nobody owns this server yet, restart it: it prints a new one."
          : failureText(link.error)
      }
    />
  );
}
