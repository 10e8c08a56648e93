/** Where one is after a call, or where there is none. */

import type { ReactNode } from "react";

import { navigate } from "../router";
import { Button } from "../ui/controls";
import { Mark } from "../ui/icons";

interface EndPageProps {
  readonly title: string;
  readonly text: string;
  /** Back into the same room; absent where that makes no sense. */
  readonly onAgain?: () => void;
}

export function EndPage({ title, text, onAgain }: EndPageProps): ReactNode {
  return (
    <main className="end" data-testid="end">
      <Mark />
      <h1>{title}</h1>
      <p>{text}</p>
      <div className="end-ways">
        {onAgain !== undefined && (
          <Button look="primary" onPress={onAgain} testId="rejoin">
            Join again
          </Button>
        )}
        <Button onPress={() => navigate("/")} testId="go-home">
          Start page
        </Button>
      </div>
    </main>
  );
}
