import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { LoadOrder, LoadReport } from './load.js';

const TOOLS = ['get_issue', 'list_issues', 'search', 'create_issue', 'add_comment'];
const TEXT = 'a sentence as people write them into arguments, '.repeat(4);
const FAILURE_CHARS = 300;

let nextId = 1;
let pool: { key: string; connections: Pool } | undefined;

process.on('message', (order: LoadOrder) => void run(order).then((report) => process.send!(report)));
process.once('disconnect', () => process.exit());
process.send!({ ready: true });

async function run(order: LoadOrder): Promise<LoadReport> {
  const connections = await poolFor(order);
  const taken: number[] = [];
  const failures: string[] = [];
  const started = performance.now();
  const until = started + order.durationMs;
  await Promise.all(Array.from({ length: order.callers }, (_, caller) => callUntil(until, caller)));
  const seconds = (performance.now() - started) / 1_000;
  taken.sort((a, b) => a - b);
  const at = (share: number): number => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))] ?? Number.NaN;
  return { calls: taken.length, failed: failures.length, firstFailure: failures[0] ?? null, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };

  async function callUntil(end: number, caller: number): Promise<void> {
    const session = order.sessions[caller % order.sessions.length]!;
    const headers = { ...order.headers, 'mcp-session-id': session };
    while (performance.now() < end && failures.length < 100) {
      const begun = performance.now();
      const failure = await call(connections, order.url, headers, nextId++);
      if (failure === undefined) taken.push(performance.now() - begun);
      else failures.push(failure);
      if (order.pauseMs > 0) await sleep(order.pauseMs);
    }
  }
}

async function poolFor({ url, callers }: LoadOrder): Promise<Pool> {
  const key = `${url} ${callers}`;
  if (pool?.key === key) return pool.connections;
  await pool?.connections.close();
  pool = { key, connections: new Pool(new URL(url).origin, { connections: callers, pipelining: 1 }) };
  return pool.connections;
}

/** One call; resolves to what was wrong with its answer, if anything. */
function call(connections: Pool, url: string, headers: Record<string, string>, id: number): Promise<string | undefined> {
  const name = TOOLS[id % TOOLS.length]!;
  const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":{"id":"ISSUE-${id}","text":"${TEXT}"}}}`;
  return new Promise((resolve) => {
    let status = 0;
    let text = '';
    connections.dispatch(
      { path: new URL(url).pathname, method: 'POST', headers, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, code) => void (status = code),
        onResponseData: (_controller, chunk) => void (text += chunk.toString('latin1')),
        onResponseEnd: () => {
          const right = status === 200 && text.startsWith(`{"jsonrpc":"2.0","id":${id},"result":{"content"`);
          resolve(right ? undefined : `${status} ${text.slice(0, FAILURE_CHARS)}`);
        },
        onResponseError: (_controller, error) => resolve(String(error)),
      },
    );
  });
}
