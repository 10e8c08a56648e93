/** Says why there is no picture where one is sent. */

import type { ReactNode } from "react";

export function Undecodable({ whose }: { readonly whose: string }): ReactNode {
  return (
    <p className="tile-undecodable" role="note" data-testid="undecodable">
      {`Your browser cannot show ${whose}: it does not know the video format.`}
    </p>
  );
}
