import fc from "fast-check";
import { expect, test } from "vitest";
import type { MessageId } from "../kernel/ids.ts";
import { mailEntry, parseMailEntry } from "./mail.ts";

test("an inbox entry is read back as it was written", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter((id) => !id.includes("\n")),
      fc.constantFrom("alone" as const, "together" as const, "steer" as const),
      fc.json(),
      (id, mode, body) => {
        const mail = { id: id as MessageId, mode, body };
        expect(parseMailEntry(mailEntry(mail))).toEqual(mail);
      },
    ),
  );
});
