import { describe, expect, it } from "vitest";

import { wayBackOf } from "../src/account/wayBack";

describe("the way back from a provider", () => {
  it("brings a ticket for the second step", () => {
    expect(wayBackOf("#ticket=abc-_1")).toEqual({ ticket: "abc-_1", failure: null });
  });

  it("brings a refusal by its code, and never a sentence of somebody else's", () => {
    const { failure } = wayBackOf("#error=oauth-denied&message=Send+money");
    expect(failure).toMatchObject({ kind: "refused", code: "oauth-denied" });
    expect(JSON.stringify(failure)).not.toContain("money");
  });

  it("is nothing in any other address", () => {
    expect(wayBackOf("")).toEqual({ ticket: null, failure: null });
    expect(wayBackOf("#elsewhere")).toEqual({ ticket: null, failure: null });
  });
});
