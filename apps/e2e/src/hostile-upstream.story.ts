import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { answerHonestly, HOSTILE_ANSWERS, startRawUpstream, type HostileAnswer, type Upstream } from '@gatehouse/testing';
import { growthDuring } from './hostile-clients/resident-memory.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';
import { WireClient } from './wire/wire-client.js';

const CREDENTIAL = 'canary-credential-of-the-upstream';
const MIB = 1024 * 1024;
// Of all edges together; what the young generation takes until it is collected is part of it.
const MOST_GROWTH = 128 * MIB;
// The end of what pours is what tells how it was cut.
const KEPT_PARTS = 64;
const POURING = new Set(['E-27', 'E-28', 'E-29']);
const STOPPED = /^(upstream_(invalid|refused|too_large|timeout|unreachable)|response_blocked)$/;
const FOREIGN_HEADERS = ['set-cookie', 'www-authenticate', 'access-control-allow-origin', 'access-control-allow-credentials', 'server', 'x-powered-by'];

interface Heard {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  /** Whether the answer ended before it was complete. */
  broken: boolean;
}

const lastMessage = (text: string): any => {
  const last = text.trim().split('\n\n').at(-1) ?? '';
  const data = last.split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length)] : []));
  return JSON.parse(data.length > 0 ? data.join('\n') : text);
};

const isHonest = (entry: HostileAnswer, result: any): boolean =>
  entry.on === 'initialize' ? result?.serverInfo?.name === 'small-upstream' : String(result?.content?.[0]?.text).startsWith('issue');

const stoppedBy = (status: number, error: any): string => {
  if (!STOPPED.test(error.data?.type)) return `error ${JSON.stringify(error)}`;
  return status === 200 ? 'cut' : 'refused';
};

/** What the client got: by what it can do with it. */
const outcomeOf = (entry: HostileAnswer, { status, text, broken }: Heard): string => {
  if (broken) return 'cut';
  const { result, error } = lastMessage(text);
  if (error !== undefined) return stoppedBy(status, error);
  if (result.isError === true && result._meta?.['io.gatehouse/refusal']?.code === 'identity_dead') return 'disowned';
  return isHonest(entry, result) && status === 200 ? 'honest' : `${status} ${text.slice(0, 200)}`;
};

const STOPS: ReadonlySet<string> = new Set(['refused', 'cut', 'disowned']);
const expectedOutcome = ({ outcome }: HostileAnswer): string => (STOPS.has(outcome) ? outcome : 'honest');
const expectedStatus = (entry: HostileAnswer): string => ({ honest: 'ok', disowned: 'refused' })[expectedOutcome(entry)] ?? 'upstream_error';

inBothForms(
  'An upstream that attacks or breaks harms nobody',
  (world) => {
    let upstream: Upstream;
    let client: WireClient;
    let since: number;
    let pids: number[];

    beforeAll(async () => {
      const scripted = (name: string, on: string): HostileAnswer | undefined => HOSTILE_ANSWERS.find((entry) => entry.name === name && entry.on === on);
      upstream = await startRawUpstream(
        (exchange) => {
          const { method, params } = exchange.rpc;
          const name = method === 'initialize' ? (params['clientInfo'] as { name?: string }).name : params['name'];
          const entry = scripted(String(name), method);
          if (entry === undefined) answerHonestly(exchange.rpc, exchange.response);
          else entry.answer(exchange);
        },
        { methods: ['initialize', 'tools/call'], requiredHeader: { name: 'x-api-key', value: CREDENTIAL } },
      );
      await registered(world(), { name: 'hostile', url: upstream.url, auth: { kind: 'headers', headers: [{ name: 'X-Api-Key', value: CREDENTIAL, secret: true }] } });
      await servedEverywhere(world(), 'hostile');
      client = new WireClient(world(), 'hostile');
      await client.initialize();
      await client.call('get_issue');
      upstream.forget();
      pids = world().edgeProcesses.map(({ pid }) => pid!);
      since = Date.now();
    });

    afterAll(() => upstream.close());

    const bodyOf = ({ on, name }: HostileAnswer): string =>
      on === 'tools/call'
        ? JSON.stringify({ jsonrpc: '2.0', id: 41, method: on, params: { name, arguments: {} } })
        : JSON.stringify({ jsonrpc: '2.0', id: 41, method: on, params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name, version: '1' } } });

    const send = (entry: HostileAnswer, at: number): Promise<Heard> =>
      new Promise((resolve, reject) => {
        const body = bodyOf(entry);
        const { edges, adminToken } = world();
        const headers = {
          ...{ authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          ...{ 'user-agent': `hostile-${at}`, 'content-length': String(body.length) },
          ...(entry.on === 'tools/call' ? { 'mcp-session-id': client.sessionId! } : {}),
        };
        const call = request(`${edges[at % edges.length]}/mcp/hostile`, { method: 'POST', headers, agent: false, timeout: 20_000 }, (answer) => {
          const parts: string[] = [];
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            parts.push(chunk);
            if (parts.length > KEPT_PARTS) parts.splice(0, KEPT_PARTS / 2);
          });
          const done = (broken: boolean): void => resolve({ status: answer.statusCode!, headers: answer.headers, text: parts.join(''), broken });
          answer.on('error', () => done(true));
          answer.on('end', () => done(false));
        });
        call.on('error', reject).on('timeout', () => call.destroy(new Error(`nothing in 20 s for ${entry.name}`)));
        call.end(body);
      });

    const numbered = [...HOSTILE_ANSWERS.entries()];
    const heard = new Map<number, Heard>();
    const hear = async (rows: typeof numbered): Promise<void> => {
      await Promise.all(rows.map(async ([at, entry]) => void heard.set(at, await send(entry, at))));
      expect(rows.map(([at, entry]) => [entry.name, outcomeOf(entry, heard.get(at)!)])).toEqual(rows.map(([, entry]) => [entry.name, expectedOutcome(entry)]));
    };

    it('what breaks ends as documented', () => hear(numbered.filter(([, { covers }]) => !POURING.has(covers))));

    it.each([...POURING])('%s: what pours is cut, in bounded memory', async (covers) => {
      const growth = await growthDuring(pids, async () => {
        for (const row of numbered.filter(([, entry]) => entry.covers === covers)) await hear([row]);
      });
      expect(growth).toBeLessThan(MOST_GROWTH);
    }, 60_000);

    it('the client gets nothing that was not meant for it', () => {
      for (const [at, { headers, text }] of heard) {
        const { name } = HOSTILE_ANSWERS[at]!;
        const shown = JSON.stringify([headers, text]);
        for (const secret of [CREDENTIAL, Buffer.from(CREDENTIAL).toString('base64'), 'forge', '/srv/app', 'stolen', 'another-session', 'internal']) {
          expect([name, shown.includes(secret)]).toEqual([name, false]);
        }
        expect([name, FOREIGN_HEADERS.filter((header) => headers[header] !== undefined)]).toEqual([name, []]);
      }
    });

    it('every call was sent once, and nowhere else', () => {
      expect(upstream.requests().filter(({ path }) => path !== '/mcp')).toEqual([]);
      const sent = upstream.requests().map(({ json }: any) => json?.params?.name ?? json?.params?.clientInfo?.name);
      expect(HOSTILE_ANSWERS.map(({ name }) => [name, sent.filter((each) => each === name).length])).toEqual(HOSTILE_ANSWERS.map(({ name }) => [name, 1]));
    });

    it('each has one record, which tells an attack from a failure of our own', async () => {
      const own = await eventually(async () => {
        const { items } = await admin(world()).ok('GET', `/audit/records?since=${since - 1}&limit=1000&server=hostile`);
        const found = items.filter(({ facts, outcome }: any) => facts.client.userAgent?.startsWith('hostile-') && outcome !== null);
        return found.length >= HOSTILE_ANSWERS.length ? found : undefined;
      });
      const written = HOSTILE_ANSWERS.map(({ name }, at) => [name, own.filter(({ facts }: any) => facts.client.userAgent === `hostile-${at}`).map(({ outcome }: any) => outcome.status)]);
      expect(written).toEqual(HOSTILE_ANSWERS.map((entry) => [entry.name, [expectedStatus(entry)]]));
      expect(own.flatMap(({ outcome }: any) => (outcome.status === 'upstream_error' && !STOPPED.test(outcome.code) ? [outcome.code] : []))).toEqual([]);
    });

    it('the edges live on, and call the same upstream', async () => {
      for (const edge of world().edges.keys()) {
        const answer = await client.call('get_issue', {}, { edge });
        expect([answer.status, answer.messages[0].result.content[0].text.slice(0, 5)]).toEqual([200, 'issue']);
      }
      expect(world().edgeProcesses.map(({ pid }) => pid)).toEqual(pids);
      for (const { output } of world().processes) expect(output).not.toContain(CREDENTIAL);
    });
  },
  () => ({ edge: { GATEHOUSE_UPSTREAM_HEAD_MS: '1000', GATEHOUSE_UPSTREAM_SILENCE_MS: '1000' } }),
);
