import { workerOf } from "../../src/store/lane-state.ts";
import type { InboxMode } from "../../src/store/mail.ts";

/** A waiting message. */
export interface Waiting {
  readonly id: string;
  readonly mode: InboxMode;
  /** The run it opens; known once it was admitted. */
  run: string;
}

/** What a worker believes to hold; it goes on believing it when it is long over. */
export interface Hold {
  readonly lane: string;
  readonly token: string;
  readonly run: string;
  /** How many lines the journal has at least. */
  linesKnown: number;
}

export interface LaneModel {
  state: "idle" | "ready" | "resume" | "parked" | "run";
  run: string;
  token: string;
  attempt: number;
  /** Whether the run wrote something since it was last taken or given up. */
  progress: boolean;
  mail: boolean;
  key: string;
  timed: boolean;
  inbox: Waiting[];
  /** The messages of the current run. */
  messages: string[];
  /** The journal in short words, what went to the archive included; a line that was appended twice counts once. */
  journal: string[];
}

/** How many messages may wait in a lane here. */
export const MAX_WAITING = 4;

/** What became of a message. */
export type Fate = "waiting" | "taken" | "settled" | "withdrawn";

/** The lanes as they are promised to behave, kept in memory beside the real ones. */
export class Model {
  readonly lanes = new Map<string, LaneModel>();
  readonly registered = new Set<string>();
  readonly holds: Hold[] = [];
  readonly fates = new Map<string, { readonly lane: string; fate: Fate }>();
  /** Everything that was said, in order. */
  readonly said: string[] = [];
  counter = 0;

  constructor(names: readonly string[]) {
    for (const name of names)
      this.lanes.set(name, {
        state: "idle",
        run: "",
        token: "",
        attempt: 1,
        progress: false,
        mail: false,
        key: "",
        timed: false,
        inbox: [],
        messages: [],
        journal: [],
      });
  }

  lane(name: string): LaneModel {
    const lane = this.lanes.get(name);
    if (lane === undefined) throw new Error(`no lane ${name}`);
    return lane;
  }

  unique(prefix: string): string {
    return `${prefix}${++this.counter}`;
  }

  admit(name: string, message: Waiting): { status: string; ahead: number } {
    if (this.fates.has(message.id)) return { status: "duplicate", ahead: 0 };
    const lane = this.lane(name);
    this.fates.set(message.id, { lane: name, fate: "waiting" });
    if (lane.state === "parked" && lane.mail) {
      this.join(lane, [message.id]);
      this.resume(lane, 1);
      return { status: "joined", ahead: 0 };
    }
    if (lane.inbox.length >= MAX_WAITING) {
      this.fates.delete(message.id);
      return { status: "full", ahead: MAX_WAITING };
    }
    const ahead = lane.inbox.length + (lane.state === "idle" || lane.state === "ready" ? 0 : 1);
    lane.inbox.push(message);
    if (lane.state === "idle") lane.state = "ready";
    return { status: ahead > 0 ? "queued" : "started", ahead };
  }

  /** Lanes a claim may hand out. */
  claimable(): string[] {
    return [...this.lanes].flatMap(([name, { state, inbox }]) =>
      state === "resume" || (state === "ready" && inbox.length > 0) ? [name] : [],
    );
  }

  /** A lane was handed out under `token`; what is expected of the claim. */
  start(name: string, token: string): { run: string; attempt: number; resumed: boolean; messages: readonly string[] } {
    const lane = this.lane(name);
    const resumed = lane.state === "resume";
    if (!resumed) {
      const [head, ...others] = lane.inbox;
      if (head === undefined) throw new Error(`${name} was handed out with nothing to do`);
      const alone = head.mode === "together" ? others.findIndex(({ mode }) => mode !== "together") : 0;
      const taken = [head, ...(alone < 0 ? others : others.slice(0, alone))];
      lane.inbox = lane.inbox.slice(taken.length);
      lane.run = head.run;
      lane.attempt = 1;
      lane.messages = taken.map(({ id }) => id);
      for (const id of lane.messages) this.settle(id, "taken");
      const [first = "", ...more] = lane.messages;
      lane.journal.push(`opened ${lane.run} ${first}`, ...more.map((id) => `joined ${id}`));
    }
    lane.state = "run";
    lane.token = token;
    lane.progress = false;
    return { run: lane.run, attempt: lane.attempt, resumed, messages: lane.messages };
  }

  /** True when the token owns the lane: only then may anything happen. */
  owns({ lane, token }: Hold): boolean {
    const { state, token: owner } = this.lane(lane);
    return state === "run" && owner === token;
  }

  write(name: string, entry: string): void {
    const lane = this.lane(name);
    lane.journal.push(entry);
    lane.progress = true;
  }

  join(lane: LaneModel, ids: readonly string[]): void {
    lane.messages.push(...ids);
    lane.journal.push(...ids.map((id) => `joined ${id}`));
    lane.progress = true;
    for (const id of ids) this.settle(id, "taken");
  }

  absorb(name: string): readonly string[] {
    const lane = this.lane(name);
    const other = lane.inbox.findIndex(({ mode }) => mode !== "steer");
    const taken = other < 0 ? lane.inbox : lane.inbox.slice(0, other);
    lane.inbox = lane.inbox.slice(taken.length);
    const ids = taken.map(({ id }) => id);
    if (ids.length > 0) this.join(lane, ids);
    return ids;
  }

  end(name: string, how: "end" | "stop", journal: "keep" | "drop" = "keep"): void {
    const lane = this.lane(name);
    if (journal === "drop") lane.journal = [];
    else lane.journal.push(`ended ${lane.run}`);
    for (const id of lane.messages) this.settle(id, "settled");
    this.said.push(`${how}:${lane.run}:${lane.messages.join()}`);
    forgetWait(lane);
    lane.state = lane.inbox.length > 0 ? "ready" : "idle";
  }

  park(name: string, wait: { mail: boolean; key: string; timed: boolean; handOver: boolean; failed: boolean }): void {
    const lane = this.lane(name);
    const attempt = (lane.progress ? 1 : lane.attempt) + (wait.failed ? 1 : 0);
    lane.token = "";
    if (wait.handOver) return this.resume(lane, attempt);
    lane.state = "parked";
    lane.attempt = attempt;
    lane.progress = false;
    lane.mail = wait.mail;
    lane.key = wait.key;
    lane.timed = wait.timed;
  }

  resume(lane: LaneModel, attempt: number): void {
    forgetWait(lane);
    lane.state = "resume";
    lane.attempt = attempt;
    lane.progress = false;
  }

  /** A worker is gone; returns how many runs it held. */
  reap(worker: string): number {
    if (!this.registered.delete(worker)) return -1;
    let taken = 0;
    for (const lane of this.lanes.values()) {
      if (lane.state !== "run" || workerOf(lane.token) !== worker) continue;
      taken++;
      const attempt = lane.progress ? 1 : lane.attempt + 1;
      this.resume(lane, attempt);
      if (attempt > 5) Object.assign(lane, { state: "parked", timed: true });
    }
    return taken;
  }

  settle(id: string, fate: Fate): void {
    const known = this.fates.get(id);
    if (known !== undefined) known.fate = fate;
  }
}

function forgetWait(lane: LaneModel): void {
  Object.assign(lane, { token: "", mail: false, key: "", timed: false });
}
