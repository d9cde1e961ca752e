import { expect, test } from "vitest";
import { parseConversationId } from "../kernel/ids.ts";
import { mayBegin } from "./access.ts";
import { ALICE } from "../../test/api/test-parts.ts";

test.each([
  { id: "api:alice", may: true },
  { id: "holiday-plans", may: true },
  { id: "team:holiday-plans", may: true },
  { id: "api:bob", may: false },
  { id: "api:alice2", may: false },
  { id: "slack:C042", may: false },
  { id: "web:4f9a", may: true },
  { id: "terminal:alice", may: true },
  { id: "telegram", may: false },
])("alice's key may begin $id: $may", ({ id, may }) => {
  expect(mayBegin(ALICE, parseConversationId(id))).toBe(may);
});
