import { afterEach, describe, expect, it } from '@jest/globals';
import { startGatewayWorld, type Answer, type Arrived, type GatewayWorld } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';

interface Rpc {
  id?: number;
  method: string;
  params?: { name?: string; arguments?: object };
}

let world: GatewayWorld;
afterEach(() => world.close());

/** An MCP endpoint that answers `tools/call` as the test says. */
async function call(answer: (rpc: Rpc) => Answer, args: string[], given: Given = {}) {
  const initialized = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'demo', version: '1' } };
  const post = ({ body }: Arrived): Answer => {
    const rpc = body as Rpc;
    if (rpc.method === 'initialize') return { body: { jsonrpc: '2.0', id: rpc.id, result: initialized }, headers: { 'mcp-session-id': 's1' } };
    return rpc.id === undefined ? { status: 202 } : answer(rpc);
  };
  world = await startGatewayWorld({ 'POST /mcp/demo': post, 'GET /mcp/demo': { status: 405 }, 'DELETE /mcp/demo': { status: 200 } });
  return invoke(['call', ...args], { url: world.url, ...given });
}

const result = (value: object) => (rpc: Rpc) => ({ body: { jsonrpc: '2.0', id: rpc.id, result: value } });
const error = (value: object, status = 200) => (rpc: Rpc) => ({ status, body: { jsonrpc: '2.0', id: rpc.id, error: value } });

describe('call', () => {
  it('is an MCP client for one call and ends its session', async () => {
    const ran = await call((rpc) => result({ content: [{ type: 'text', text: JSON.stringify(rpc.params?.arguments) }] })(rpc), ['demo', 'echo', '{"text":"hi"}', '-o', 'table']);
    expect(ran).toEqual({ code: 0, out: '{"text":"hi"}\n', err: '' });
    expect(world.arrived.every(({ headers }) => headers.authorization === 'Bearer ghp_gatehouse_test')).toBe(true);
    expect(world.arrived.at(-1)).toMatchObject({ method: 'DELETE', headers: { 'mcp-session-id': 's1' } });
  });

  it('prints the raw result as JSON', async () => {
    const value = { content: [{ type: 'text', text: 'x' }], structuredContent: { x: 1 } };
    const ran = await call(result(value), ['demo', 'echo', '-o', 'json']);
    expect(JSON.parse(ran.out)).toEqual(value);
  });

  it('names what is not text, and obeys nothing in what is', async () => {
    const content = [
      { type: 'text', text: 'a\u001b[2Jb' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'resource_link', uri: 'file:///a', name: 'a' },
    ];
    const ran = await call(result({ content }), ['demo', 'draw', '-o', 'table']);
    expect(ran.out).toBe('a\\u001b[2Jb\n[image image/png, 3 bytes; -o json shows it]\n[link file:///a a]\n');
  });

  it('exits 1 with the reason and what to do when the gateway refuses', async () => {
    const refused = { content: [{ type: 'text', text: 'No policy permits this. (policy_denied)' }], isError: true, _meta: { 'io.gatehouse/refusal': { code: 'policy_denied' } } };
    const ran = await call(result(refused), ['demo', 'echo', '-o', 'table']);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/refused: No policy permits this\. \(policy_denied\) \[policy_denied\]\nnext: gatehouse audit query --decision deny/);
  });

  it('exits 1 when the tool says it failed, with the raw result for programs', async () => {
    const ran = await call(result({ content: [{ type: 'text', text: 'no such file' }], isError: true }), ['demo', 'read', '-o', 'json']);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ isError: true });
    expect(JSON.parse(ran.err)).toMatchObject({ error: { message: 'the tool says it failed: no such file' } });
  });

  it('exits 1 with the words of a JSON-RPC error, and the reason it carries', async () => {
    const ran = await call(error({ code: 1032, message: 'This server is stopped.', data: { type: 'server_stopped', reason: 'by an administrator' } }), ['demo', 'echo']);
    expect(ran).toMatchObject({ code: 1, err: 'gatehouse: This server is stopped. by an administrator [server_stopped]\nnext: gatehouse server start NAME\n' });
  });

  it('reads the JSON-RPC error of a failed HTTP answer', async () => {
    const ran = await call(error({ code: 1060, message: 'The server could not be reached.', data: { type: 'upstream_unreachable' } }, 502), ['demo', 'echo']);
    expect(ran.err).toContain('The server could not be reached. [upstream_unreachable]');
  });

  it('exits 3 when the token is not accepted', async () => {
    const ran = await call(error({ code: 1001, message: 'A valid access token is required.', data: { type: 'unauthenticated' } }, 401), ['demo', 'echo']);
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('next: gatehouse login, or set GATEHOUSE_TOKEN') });
  });

  it('takes arguments from a file or standard input', async () => {
    const echo = (rpc: Rpc) => result({ content: [{ type: 'text', text: JSON.stringify(rpc.params?.arguments) }] })(rpc);
    expect((await call(echo, ['demo', 'echo', '@a.json', '-o', 'table'], { files: { 'a.json': '{"a":1}' } })).out).toBe('{"a":1}\n');
    expect((await invoke(['call', 'demo', 'echo', '-', '-o', 'table'], { url: world.url, input: '{"b":2}' })).out).toBe('{"b":2}\n');
  });

  it.each([
    ['a whole URL, which would send the token there', ['http://evil.test/mcp', 'echo'], 'is not the name of an endpoint'],
    ['arguments that are no object', ['demo', 'echo', 'text=hi'], 'not a JSON object'],
    ['a timeout of nothing', ['demo', 'echo', '--timeout', '0'], 'A whole number'],
  ])('refuses %s as usage', async (_, args, message) => {
    const ran = await call(result({ content: [] }), args);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(world.arrived).toEqual([]);
  });
});
