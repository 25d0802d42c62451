import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { authContracts, catalogueContracts } from '@gatehouse/contracts';
import { startRecordingServer, type Upstream } from '@gatehouse/testing';
import { EdgeStage, type Answered } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { AnsweringServices } from './answering-services.conformance.js';

const OFFICIAL = 'io.modelcontextprotocol.registry/official';
const remote = (url: string, more: object = {}): object => ({ type: 'streamable-http', url, ...more });
const good = (name: string, more: object = {}): object => ({ server: { name, description: 'Does things', remotes: [remote(`https://${name.length}.example/mcp`)], ...more }, _meta: { [OFFICIAL]: { status: 'active', isLatest: true } } });

describe('the import from a registry', () => {
  let neighbours: Neighbours;
  let services: AnsweringServices;
  let stage: EdgeStage;
  let registry: Upstream;
  let administrator: string;
  let pages: unknown[];

  beforeAll(async () => {
    registry = await startRecordingServer(({ path }, response) => {
      const at = Number(new URL(path, 'http://x').searchParams.get('cursor') ?? 0);
      const page = pages[at];
      if (page === undefined) return void response.writeHead(404).end();
      response.end(typeof page === 'string' ? page : JSON.stringify({ servers: page, metadata: at + 1 < pages.length ? { nextCursor: String(at + 1) } : {} }));
    });
    neighbours = new Neighbours();
    await neighbours.serve();
    services = new AnsweringServices(neighbours);
    await services.serve();
    administrator = neighbours.addToken('Ada', { scopes: ['admin'], capabilities: [...authContracts.CAPABILITIES] });
    stage = await (await EdgeStage.start(neighbours)).ready();
  });

  beforeEach(() => {
    services.asked.splice(0);
    registry.forget();
  });

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await registry.close();
  });

  const origin = (): string => new URL(registry.url).origin;
  const run = (body: object = {}): Promise<Answered> =>
    stage.send('POST', '/api/v1/catalogue/import', { authorization: `Bearer ${administrator}` }, JSON.stringify({ url: origin(), allowPrivateNetwork: true, ...body }));
  const brought = (): any => services.askedOf(catalogueContracts.importCatalogue)[0];

  it('takes what can be registered, from every page, and names where it came from', async () => {
    const headers = { headers: [{ name: 'Authorization', isSecret: true }] };
    pages = [
      [good('com.notion/mcp', { title: 'Notion', websiteUrl: 'https://notion.example/' }), good('io.github.a/b', { remotes: [remote('https://a.example/mcp', headers)], repository: { url: 'https://github.com/a/b' } })],
      [{ name: 'old.shape/one', description: 'Before 2025-09', remotes: [remote('https://old.example/mcp')] }],
    ];
    expect((await run()).status).toBe(200);
    expect(registry.requests().map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v0/servers?limit=100&version=latest', 'GET /v0/servers?limit=100&version=latest&cursor=1']);
    const source = `${origin()}/v0/servers`;
    expect(brought().source).toBe(source);
    expect(brought().entries.map(({ name, title, auth, documentation, source: from }: any) => [name, title, auth, documentation, from])).toEqual([
      ['com-notion-mcp', 'Notion', 'unknown', 'https://notion.example/', source],
      ['io-github-a-b', 'io.github.a/b', 'headers', 'https://github.com/a/b', source],
      ['old-shape-one', 'old.shape/one', 'unknown', null, source],
    ]);
  });

  it('passes over what is over, is not remote, or is not at a fixed https address', async () => {
    const over = (meta: object): object => ({ ...good('x/y'), _meta: { [OFFICIAL]: meta } });
    const at = (...remotes: unknown[]): object => good('x/y', { remotes });
    const urls = ['http://a.example/', 'https://{tenant}.example/mcp', 'https://a.example/ b', 'javascript:alert(1)', `https://a.example/${'x'.repeat(500)}`, 7];
    pages = [[null, 7, [], {}, over({ status: 'deleted' }), over({ status: 'active', isLatest: false }), good(''), good('../..'), at(), at({ type: 'sse', url: 'https://a.example/' }), ...urls.map((url) => at(remote(url as string)))]];
    expect((await run()).status).toBe(200);
    expect(brought().entries).toEqual([]);
  });

  it('keeps four hundred at most and says so, and reads no registry without end', async () => {
    pages = Array.from({ length: 30 }, (_page, at) => Array.from({ length: 50 }, (_item, index) => good(`many/s${at}-${index}`)));
    const { json } = await run();
    expect([brought().entries.length, json.isCut, registry.hits()]).toEqual([400, true, 9]);
    registry.forget();
    pages = Array.from({ length: 30 }, () => []);
    expect([(await run()).json.isCut, registry.hits()]).toEqual([true, 20]);
  });

  it.each([
    ['a page of something else', ['<html>'], {}, 502, 'upstream_invalid'],
    ['JSON without servers', ['{}'], {}, 502, 'upstream_invalid'],
    ['an answer that grows', [`{"servers":["${'x'.repeat(3_000_000)}"]}`], {}, 502, 'upstream_too_large'],
    ['no such path', [], {}, 502, 'upstream_refused'],
    ['a private address without the allowance', [[]], { allowPrivateNetwork: false }, 422, 'url_refused'],
    ['the metadata service', [[]], { url: 'http://169.254.169.254/' }, 422, 'url_refused'],
    ['no URL', [[]], { url: 'registry' }, 422, 'url_refused'],
  ])('brings nothing when there is %s', async (_what, given, body, status, code) => {
    pages = given;
    const answer = await run(body);
    expect([answer.status, answer.json.code, services.asked]).toEqual([status, code, []]);
  });
});
