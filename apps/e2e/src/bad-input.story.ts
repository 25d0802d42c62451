import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startJsonUpstream, type Upstream } from '@gatehouse/testing';
import { BAD_CALLERS, BAD_ROUTES, BAD_SURROUNDINGS, SMUGGLED } from './hostile-clients/bad-heads.js';
import { BAD_JSON, BAD_MEDIA, BAD_MESSAGES, BAD_PARAMS } from './hostile-clients/bad-messages.js';
import { requestBytes, type BadRequest, type Target } from './hostile-clients/bad-request.js';
import { rawExchange, type RawAnswer } from './hostile-clients/raw-http.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';
import { WireClient } from './wire/wire-client.js';

const GROUPS: readonly (readonly [string, readonly BadRequest[]])[] = [
  ['JSON', BAD_JSON],
  ['messages', BAD_MESSAGES],
  ['params', BAD_PARAMS],
  ['media', BAD_MEDIA],
  ['routes', BAD_ROUTES],
  ['callers', BAD_CALLERS],
  ['surroundings', BAD_SURROUNDINGS],
];

const codeIn = (body: string): unknown => {
  const answer = JSON.parse(body) as any;
  const refusal = answer.result?._meta?.['io.gatehouse/refusal'];
  return answer.code ?? refusal?.code ?? answer.error?.data?.type;
};

inBothForms('Bad input is refused, recorded once, and goes nowhere', (world) => {
  let upstream: Upstream;
  let client: WireClient;
  let pids: (number | undefined)[];
  let since: number;

  beforeAll(async () => {
    upstream = await startJsonUpstream();
    await registered(world(), { name: 'plain', url: upstream.url });
    await servedEverywhere(world(), 'plain');
    client = new WireClient(world(), 'plain');
    await client.initialize();
    pids = world().processes.map(({ pid }) => pid);
    since = Date.now();
  });

  afterAll(() => upstream.close());

  const target = (agent: string, edge: string): Target => ({ host: new URL(edge).host, server: 'plain', token: world().adminToken, session: client.sessionId!, agent });

  const records = async (): Promise<any[]> => {
    const items: any[] = [];
    for (let cursor = ''; ; ) {
      const page = await admin(world()).ok('GET', `/audit/records?since=${since - 1}&limit=1000${cursor}`);
      items.push(...page.items);
      if (page.nextCursor === null) return items;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  };

  const stillServes = async (): Promise<void> => {
    const hits = upstream.calls('tools/call').length;
    for (const edge of world().edges.keys()) expect((await client.call('get_issue', { id: 'a' }, { edge })).status).toBe(200);
    expect(upstream.calls('tools/call')).toHaveLength(hits + world().edges.length);
    expect(world().processes.map(({ pid }) => pid)).toEqual(pids);
  };

  it.each(GROUPS)('%s', async (group, rows) => {
    const hits = upstream.hits();
    const { edges } = world();
    const heard = await Promise.all(
      rows.map(async (row, at) => {
        const edge = edges[at % edges.length]!;
        const answer = await rawExchange(edge, row.bytes(target(`${group}-${at}`, edge)));
        return { name: row.name, status: answer.status, code: answer.body === '' ? row.code : codeIn(answer.body) };
      }),
    );
    expect(heard).toEqual(rows.map(({ name, status, code }) => ({ name, status, code })));
    expect(upstream.hits()).toBe(hits);
    const written = await eventually(async () => {
      const found = (await records()).filter(({ facts }) => facts.client.userAgent?.startsWith(`${group}-`));
      return found.length >= rows.length ? found : undefined;
    });
    const codes = rows.map((row, at) => [row.name, written.filter(({ facts }) => facts.client.userAgent === `${group}-${at}`).map(({ outcome }) => `${outcome.code} ${outcome.httpStatus}`)]);
    expect(codes).toEqual(rows.map(({ name, code, status }) => [name, [`${code} ${status}`]]));
    expect(written).toHaveLength(rows.length);
    await stillServes();
  });

  it('what is no HTTP, and hides a second request', async () => {
    const hits = upstream.hits();
    const { edges } = world();
    const before = (await records()).filter(({ facts }) => facts.client.userAgent === null).length;
    const heard: [string, RawAnswer][] = await Promise.all(
      SMUGGLED.map(async ([name, bytes], at) => [name, await rawExchange(edges[at % edges.length]!, bytes(target('', edges[at % edges.length]!)))] as [string, RawAnswer]),
    );
    expect(heard.map(([name, { status, answers, closed }]) => [name, status, answers, closed])).toEqual(SMUGGLED.map(([name]) => [name, 400, 1, true]));
    expect(upstream.hits()).toBe(hits);
    const unnamed = await eventually(async () => {
      const found = (await records()).filter(({ facts }) => facts.client.userAgent === null);
      return found.length >= before + SMUGGLED.length ? found : undefined;
    });
    expect((await records()).filter(({ facts }) => facts.client.userAgent === 'smuggled')).toEqual([]);
    expect(unnamed.map(({ outcome }) => outcome.code)).toEqual(Array(before + SMUGGLED.length).fill('bad_request'));
    await stillServes();
  });

  it('a head of twenty kilobytes', async () => {
    const edge = world().edges[0]!;
    const answer = await rawExchange(edge, requestBytes(target('', edge), { headers: { 'x-long': 'a'.repeat(20_000) } }));
    expect([answer.status, answer.closed]).toEqual([431, true]);
  });

  it('a body in chunks that never ends is cut at the limit', async () => {
    const edge = world().edges[0]!;
    const head = requestBytes(target('endless', edge), { headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' }, body: '' });
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const answer = await rawExchange(edge, Buffer.concat([head, Buffer.from(chunk.repeat(80))]));
    expect([answer.status, codeIn(answer.body)]).toEqual([413, 'too_large']);
    await stillServes();
  });

  it('never shows the token in what the processes print', () => {
    for (const each of world().processes) expect(each.output).not.toContain(world().adminToken);
  });
});
