/** Stands in where there is no picture: initials on a colour that stays with the person. */

import type { CSSProperties, ReactNode } from "react";

import { hueOf, initials } from "../text/time";

export function Avatar({ name, id }: { readonly name: string; readonly id: string }): ReactNode {
  const style = { "--hue": hueOf(id) } as CSSProperties;
  return (
    <div className="avatar" style={style} aria-hidden="true">
      <span>{initials(name)}</span>
    </div>
  );
}
