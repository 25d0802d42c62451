/** What the load generator is to do; one at a time. */
export interface LoadOrder {
  url: string;
  headers: Record<string, string>;
  /** MCP sessions; callers take turns. */
  sessions: string[];
  /** Callers, each with a connection of its own and one call in flight. */
  callers: number;
  durationMs: number;
  /** How long a caller waits after an answer; 0 for as fast as it goes. */
  pauseMs: number;
}

/** What came of it. Latencies over all answered calls. */
export interface LoadReport {
  calls: number;
  failed: number;
  firstFailure: string | null;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}
