import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { laneId, type MessageId } from "../kernel/ids.ts";
import { answersKey, laneKeys, partitionKeys, partitionOf, recordKey } from "./keys.ts";

const ID = fc.stringMatching(/^[a-c:|/.-]{1,6}$/);

describe("the partition of a lane", () => {
  // A lane's keys stay where they are: another hash would lose every conversation that exists.
  test.each([
    ["chat/web:4f9a", 16, 5],
    ["chat/slack:C042:171.5", 16, 14],
    ["chat/api:ada", 16, 9],
    ["chat/ä", 7, 1],
    ["chat/anything", 1, 0],
    // Published test vectors of 32-bit FNV-1a: e40c292c and bf9cf968.
    ["chat/a", 1024, 0x12c],
    ["out/foobar", 1024, 0x168],
  ])("%s of %i is %i, for ever", (lane, partitions, partition) => {
    expect(partitionOf(lane as ReturnType<typeof laneId>, partitions)).toBe(partition);
  });

  test("is the same for all kinds of lanes of one name", () => {
    fc.assert(
      fc.property(ID, fc.integer({ min: 1, max: 64 }), (name, partitions) => {
        const places = ["chat", "control", "out"].map((kind) => partitionOf(laneId(kind, name), partitions));
        expect(new Set(places).size).toBe(1);
        expect(places[0]).toBeLessThan(partitions);
      }),
    );
  });
});

describe("the name of a key", () => {
  test.each([
    ["own", partitionKeys(3).own, "{p3}own"],
    ["workers", partitionKeys(3).workers, "{p3}workers"],
    ["delay", partitionKeys(3).delay, "{p3}delay"],
    ["bell", partitionKeys(3).bell("chat"), "{p3}bell:chat"],
    ["cold", partitionKeys(3).cold, "{p3}cold"],
    ["ready", partitionKeys(3).ready("chat"), "{p3}ready:chat"],
    ["claimed", partitionKeys(3).claimed("w"), "{p3}w:w"],
    ["inbox", laneKeys("{p3}", laneId("chat", "a")).inbox, "{p3}q:chat/a"],
    ["journal", laneKeys("{p3}", laneId("chat", "a")).journal, "{p3}c:chat/a"],
    ["owned journal", laneKeys("{p3}", laneId("chat", "a")).owned("w.1"), "{p3}j:w.1"],
    ["archive", laneKeys("{p3}", laneId("chat", "a")).archive, "{p3}a:chat/a"],
    ["record", laneKeys("{p3}", laneId("chat", "a")).record("m" as MessageId), "{p3}m:a m"],
    ["answers", laneKeys("{p3}", laneId("chat", "a")).answers("m" as MessageId), "{p3}r:a m"],
  ])("%s is %s", (_what, name, pinned) => {
    expect(name).toBe(pinned);
  });

  test("is never the same for two messages, nor for a journal and somebody else's owned one", () => {
    fc.assert(
      fc.property(ID, ID, ID, ID, (name, message, otherName, otherMessage) => {
        fc.pre(name !== otherName || message !== otherMessage);
        const [one, two] = [laneId("chat", name), laneId("chat", otherName)];
        expect(recordKey(one, message as MessageId)).not.toBe(recordKey(two, otherMessage as MessageId));
        expect(answersKey(one, message as MessageId)).not.toBe(answersKey(two, otherMessage as MessageId));
        expect(laneKeys("", one).owned(message)).not.toBe(laneKeys("", two).journal);
      }),
    );
  });
});
