import { laneId, laneParts, type ConversationId, type LaneId } from "../kernel/ids.ts";

/** The lane in which a conversation's messages become runs of the agent. */
export const chatLane = (conversation: ConversationId): LaneId => laneId("chat", conversation);
/** The lane of commands that must work while a run is going, such as /stop. */
export const controlLane = (conversation: ConversationId): LaneId => laneId("control", conversation);
/** The lane through which everything said in a conversation leaves, in order. */
export const outboxLane = (conversation: ConversationId): LaneId => laneId("out", conversation);
/** The conversation a lane belongs to. */
export const conversationOf = (lane: LaneId): ConversationId => laneParts(lane).name as ConversationId;
