import type { Tool } from '@modelcontextprotocol/sdk/types.js';

/** What all sessions of one upstream share and a test may look at or change. */
export interface Stage {
  /** Runs of the slow tool that ended by cancellation. */
  cancelled: number;
  /** Whether the tool that appears later is listed. */
  lateToolListed: boolean;
  /** Changes to listed tools by name, as a server that turns on its users would make them. */
  toolChanges: Map<string, Partial<Tool>>;
  /** URIs that some session is subscribed to, with repetition. */
  subscriptions: string[];
}

/** The stage before anything happened. */
export function freshStage(): Stage {
  return { cancelled: 0, lateToolListed: false, toolChanges: new Map(), subscriptions: [] };
}
