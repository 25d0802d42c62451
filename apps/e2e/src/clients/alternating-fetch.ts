/** One request of a client, as the wrapper sent it. */
export interface SentRequest {
  edge: string;
  verb: string;
  /** JSON-RPC method; `response` for the answer to a question of the server. */
  rpc: string | undefined;
  status: number;
}

/** A fetch that sends each request to the next edge, and what it sent. */
export interface AlternatingFetch {
  fetch: typeof fetch;
  readonly sent: readonly SentRequest[];
}

/** Spreads the requests of one client over all edges in turn, as a load balancer without affinity would. */
export function alternatingFetch(edges: readonly string[]): AlternatingFetch {
  const sent: SentRequest[] = [];
  let turn = 0;
  return {
    sent,
    fetch: async (input, init) => {
      const edge = edges[turn++ % edges.length]!;
      const { pathname, search } = new URL(input instanceof Request ? input.url : input);
      const entry: SentRequest = { edge, verb: init?.method ?? 'GET', rpc: rpcOf(init?.body), status: 0 };
      sent.push(entry);
      const answer = await fetch(edge + pathname + search, init);
      entry.status = answer.status;
      return answer;
    },
  };
}

function rpcOf(body: unknown): string | undefined {
  if (typeof body !== 'string') return undefined;
  const { method } = JSON.parse(body) as { method?: string };
  return method ?? 'response';
}
