import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

interface StoredEvent {
  streamId: string;
  message: JSONRPCMessage;
}

/** Keeps what one session's streams carried, so that a client may resume with `Last-Event-ID`. */
export class MemoryEventStore implements EventStore {
  private readonly events: StoredEvent[] = [];

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    return `${streamId}/${this.events.push({ streamId, message })}`;
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.events[placeOf(eventId) - 1]?.streamId;
  }

  /** Only what followed on the same stream is sent again (MCP 2025-11-25, resumability). */
  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const place = placeOf(lastEventId);
    const streamId = this.events[place - 1]?.streamId ?? '';
    for (const [index, event] of this.events.entries()) {
      // A priming event holds an empty message, which is nothing to repeat.
      const isDue = index >= place && event.streamId === streamId && 'jsonrpc' in event.message;
      if (isDue) await send(`${streamId}/${index + 1}`, event.message);
    }
    return streamId;
  }
}

function placeOf(eventId: string): number {
  return Number(eventId.slice(eventId.lastIndexOf('/') + 1)) || 0;
}
