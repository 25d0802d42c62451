import { afterEach, describe, expect, it } from '@jest/globals';
import { refusal, startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';
import { healthyServer, sampleServer, sampleTool } from '../../test/samples.js';

const SERVERS = '/api/v1/servers';
const failing = sampleServer({ health: { ...sampleServer().health, status: 'failing', failure: 'unauthenticated', detail: 'The server answered 401.', checkedAt: 5 } });

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, ...given });
}

describe('server add', () => {
  const added: Routes = {
    [`POST ${SERVERS}`]: { status: 201, body: sampleServer() },
    [`GET ${SERVERS}/demo`]: [{ body: sampleServer() }, { body: healthyServer() }],
    [`GET ${SERVERS}/demo/tools`]: { body: { items: [sampleTool('echo', 'Says it back'), sampleTool('add', 'Adds')], nextCursor: null } },
  };

  it('waits for the first probe and prints health and tools', async () => {
    const ran = await gatehouse(added, ['server', 'add', 'http://demo.test/mcp', '-o', 'table']);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/health +healthy \(MCP 2025-11-25, demo-server 1\.0\.0\)/);
    expect(ran.out).toMatch(/tools +2: echo, add/);
    expect(ran.out).toContain(`${world.url}/mcp/demo`);
  });

  it('sends the token, the name, plain and secret headers', async () => {
    const args = ['--name', 'demo', '--header', 'X-Tenant=a=b', '--secret-header', 'X-Key=env:KEY', '--secret-header', 'X-In=-', '--bearer-token-file', 't', '--allow-private-network', '--stateless', '--ca-file', 'ca.pem'];
    const given = { variables: { KEY: 'k1' }, input: 'k2\n', files: { t: 'k3\n', 'ca.pem': 'the certificate\n' } };
    await gatehouse(added, ['server', 'add', 'http://demo.test/mcp', ...args], given);
    expect(world.arrived[0]?.headers.authorization).toBe('Bearer ghp_gatehouse_test');
    expect(world.arrived[0]?.body).toEqual({
      name: 'demo',
      url: 'http://demo.test/mcp',
      transport: 'auto',
      stateless: true,
      allowPrivateNetwork: true,
      caCertificate: 'the certificate\n',
      signCalls: false,
      forwardHeaders: [],
      headers: [{ name: 'X-Tenant', value: 'a=b' }],
      auth: {
        kind: 'headers',
        headers: [
          { name: 'X-Key', value: 'k1', secret: true },
          { name: 'X-In', value: 'k2', secret: true },
          { name: 'Authorization', value: 'Bearer k3', secret: true },
        ],
      },
    });
  });

  it('takes a name of the catalogue in place of a URL', async () => {
    const ran = await gatehouse(added, ['server', 'add', 'notion']);
    expect([ran.code, world.arrived[0]?.body]).toEqual([0, expect.objectContaining({ catalogue: 'notion' })]);
    expect(world.arrived[0]?.body).not.toHaveProperty('url');
  });

  it('says which failure class and what to do when the probe fails', async () => {
    const routes = { [`POST ${SERVERS}`]: { status: 201, body: sampleServer() }, [`GET ${SERVERS}/demo`]: { body: failing } };
    const ran = await gatehouse(routes, ['server', 'add', 'http://demo.test/mcp']);
    expect(ran.code).toBe(0);
    expect(ran.err).toContain('failing (unauthenticated): The server answered 401.');
    expect(ran.err).toContain('next: the server wants a credential');
  });

  it.each([
    ['a secret on the command line', ['--secret-header', 'X-Key=abc'], 'NAME=env:VAR'],
    ['a token on the command line', ['--bearer', 'abc'], 'env:VAR, file:PATH or -'],
    ['two tokens', ['--bearer', 'env:A', '--bearer-token-file', 'b'], 'name one of them'],
    ['two ways in', ['--oauth-client-id', 'ours', '--secret-header', 'X-Key'], 'oauth and headers are two'],
    ['a resource indicator without a host', ['--oauth-resource', 'mcp.example.com'], 'resource'],
    ['a resource indicator with a fragment', ['--oauth-resource', 'https://mcp.example.com/#a'], 'resource'],
    ['a timeout of an hour', ['--oauth-timeout', '60m'], '1s to 25s'],
    ['a variable that is not set', ['--secret-header', 'X-Key=env:NONE'], 'NONE is empty or not set'],
    ['a file that is not there', ['--bearer-token-file', 'none'], 'cannot read none (ENOENT)'],
    ['certificates that are not there', ['--ca-file', 'none.pem'], 'cannot read none.pem (ENOENT)'],
    ['standard input twice', ['--secret-header', 'A=-', '--secret-header', 'B=-'], 'one header only'],
    ['a name that is no slug', ['--name', 'Not A Slug'], 'name: lower-case letters'],
    ['an unknown identity mode', ['--identity-mode', 'mine'], 'Allowed choices are'],
  ])('refuses %s as usage, before asking', async (_, args, message) => {
    const ran = await gatehouse(added, ['server', 'add', 'http://demo.test/mcp', ...args]);
    expect({ code: ran.code, arrived: world.arrived.length }).toEqual({ code: 2, arrived: 0 });
    expect(ran.err).toContain(message);
    expect(ran.err).not.toContain('abc');
  });

  it('advises the allowance for private networks only where it would help', async () => {
    const problem = refusal(422, 'url_refused', 'This address may not be reached from Gatehouse.', { reason: 'metadata_address' });
    const ran = await gatehouse({ [`POST ${SERVERS}`]: problem }, ['server', 'add', 'http://169.254.169.254/mcp', '--allow-private-network']);
    expect(ran.err).toContain('metadata_address');
    expect(ran.err).not.toContain('next:');
  });

  it('prints the problem and the next step when the address is refused', async () => {
    const problem = refusal(422, 'url_refused', 'This address may not be reached from Gatehouse.', { detail: 'It is in a private network.' });
    const ran = await gatehouse({ [`POST ${SERVERS}`]: problem }, ['server', 'add', 'http://10.0.0.1/mcp']);
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: 'gatehouse: This address may not be reached from Gatehouse. It is in a private network. [url_refused]\nnext: for a server in your own network add --allow-private-network\n',
    });
  });
});

describe('server', () => {
  it('lists as a table on a terminal, as JSON in a pipe, as YAML when asked', async () => {
    const routes = { [`GET ${SERVERS}`]: { body: { items: [healthyServer()], nextCursor: null } } };
    const table = await gatehouse(routes, ['server', 'list'], { terminal: true });
    expect(table.out).toMatch(/^NAME +STATE +HEALTH +TOOLS +IDENTITY +URL\ndemo +running +healthy +2 +none +http:\/\/demo\.test\/mcp\n$/);
    const json = await invoke(['server', 'list'], { url: world.url });
    expect(JSON.parse(json.out)).toEqual([healthyServer()]);
    const yaml = await invoke(['server', 'list', '-o', 'yaml'], { url: world.url });
    expect(yaml.out).toContain('- id: srv_');
  });

  it('reads every page of a list', async () => {
    const routes: Routes = {
      [`GET ${SERVERS}`]: ({ query }) =>
        query.get('cursor') === null
          ? { body: { items: [sampleServer({ name: 'a' })], nextCursor: 'c/1' } }
          : { body: { items: [sampleServer({ name: query.get('cursor') === 'c/1' ? 'b' : 'x' })], nextCursor: null } },
    };
    const ran = await gatehouse(routes, ['server', 'list']);
    expect((JSON.parse(ran.out) as { name: string }[]).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('shows escape sequences of a tool description instead of sending them to the terminal', async () => {
    const routes = { [`GET ${SERVERS}/demo/tools`]: { body: { items: [sampleTool('echo', 'nice\u001b[2J\u001b]0;owned\u0007')], nextCursor: null } } };
    const ran = await gatehouse(routes, ['server', 'tools', 'demo', '--kind', 'tool'], { terminal: true });
    expect(ran.out).not.toContain('\u001b');
    expect(ran.out).toContain('nice\\u001b[2J');
    expect(world.arrived[0]?.query.get('kind')).toBe('tool');
  });

  it('probes, waits for the new look, and exits 1 when the server is failing', async () => {
    const routes = {
      [`POST ${SERVERS}/demo/probe`]: { status: 202, body: healthyServer() },
      [`GET ${SERVERS}/demo`]: [{ body: healthyServer() }, { body: healthyServer() }, { body: failing }],
    };
    const ran = await gatehouse(routes, ['server', 'probe', 'demo']);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('failing (unauthenticated)');
  });

  it('restarts, waits for the look at it, and exits 1 when the server is failing', async () => {
    const routes = { [`POST ${SERVERS}/demo/restart`]: { body: sampleServer() }, [`GET ${SERVERS}/demo`]: [{ body: sampleServer() }, { body: failing }] };
    const ran = await gatehouse(routes, ['server', 'restart', 'demo']);
    expect([ran.code, world.arrived[0]?.path]).toEqual([1, `${SERVERS}/demo/restart`]);
    expect(ran.err).toContain('failing (unauthenticated)');
  });

  it('shows its log, since when and how much as asked', async () => {
    const items = [
      { at: 0, kind: 'state', event: 'stopped', detail: null, ms: null, record: null },
      { at: 1_000, kind: 'call', event: 'tools/call search', detail: 'upstream_error (upstream_timeout)', ms: 1.25, record: 'call_1' },
    ];
    const ran = await gatehouse({ [`GET ${SERVERS}/demo/logs`]: { body: { items, nextCursor: null } } }, ['server', 'logs', 'demo', '--since', '1970-01-01', '--limit', '5', '-o', 'table']);
    expect(ran.out).toMatch(/TIME +KIND +EVENT +DETAIL +MS\n1970-01-01T00:00:00Z +state +stopped +- +-\n1970-01-01T00:00:01Z +call +tools\/call search +upstream_error \(upstream_timeout\) +1\.3\n/);
    expect([world.arrived[0]?.query.get('since'), world.arrived[0]?.query.get('limit')]).toEqual(['0', '5']);
  });

  it.each(['stop', 'start'])('%s tells the new state', async (act) => {
    const routes = { [`POST ${SERVERS}/demo/${act}`]: { body: sampleServer({ state: act === 'stop' ? 'stopped' : 'running' }) } };
    const ran = await gatehouse(routes, ['server', act, 'demo', '-o', 'table']);
    expect(ran.out).toContain(act === 'stop' ? 'stopped' : 'running');
  });

  it('rm encodes the name, so that no other resource is reached', async () => {
    const ran = await gatehouse({}, ['server', 'rm', '../policies/x']);
    expect(ran.code).toBe(1);
    expect(world.arrived[0]?.path).toBe('/api/v1/servers/..%2Fpolicies%2Fx');
  });

  it('names an unknown server and where to look', async () => {
    const ran = await gatehouse({ [`GET ${SERVERS}/x`]: refusal(404, 'unknown_server', 'There is no server by that name.') }, ['server', 'show', 'x', '-o', 'json']);
    expect(JSON.parse(ran.err)).toEqual({ error: { code: 'unknown_server', message: 'There is no server by that name.', next: 'gatehouse server list' } });
  });
});
