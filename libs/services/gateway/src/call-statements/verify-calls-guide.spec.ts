import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '@gatehouse/testing';
import { EdgeStage, type Answered } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const GUIDE = readFileSync(new URL('../../../../../docs/guides/verify-calls.md', import.meta.url), 'utf8');
const [, VERIFIER] = /^```js\n([\s\S]*?)^```$/m.exec(GUIDE)!;

/** A server around the guide's verifier; it says its port, and then the statement of each call it let in. */
const SERVER = `
import { createServer } from 'node:http';
createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  try {
    await verifyCall(request, body);
  } catch (error) {
    return response.writeHead(401, { 'content-type': 'text/plain' }).end(error.code ?? error.message);
  }
  console.log(request.headers['gatehouse-call']);
  const { id, method } = body.length === 0 ? {} : JSON.parse(body);
  const result = method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'guarded', version: '1' } } : { content: [{ type: 'text', text: 'done' }] };
  if (id === undefined) return response.writeHead(202).end();
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}).listen(Number(new URL(process.env.MCP_URL).port), '127.0.0.1', () => console.log('listening'));
`;

describe('the verifier of the guide', () => {
  const neighbours = new Neighbours();
  const statements: string[] = [];
  let stage: EdgeStage;
  let server: ChildProcess;
  let url: string;
  let host: string;
  let ada: string;

  beforeAll(async () => {
    await neighbours.serve();
    const [edgePort, serverPort] = [await freePort(), await freePort()];
    [host, url] = [`127.0.0.1:${edgePort}`, `http://127.0.0.1:${serverPort}/mcp`];
    ada = neighbours.addToken('ada');
    neighbours.addServer('guarded', url).signCalls = true;
    neighbours.setPolicy('permit (principal, action, resource);');
    const env = { GATEHOUSE_URL: `http://${host}`, MCP_URL: url };
    server = spawn(process.execPath, ['--input-type=module', '-e', `${VERIFIER}${SERVER}`], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: server.stdout! });
    await once(lines, 'line', { signal: AbortSignal.timeout(10_000) });
    lines.on('line', (line) => statements.push(line));
    stage = await (await EdgeStage.start(neighbours, { listen: { host: '127.0.0.1', port: edgePort }, publicUrl: new URL(`http://${host}`) })).ready();
  }, 30_000);

  afterAll(async () => {
    server.kill();
    await stage.close();
    await neighbours.close();
  });

  const message = (text: string): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'do', arguments: { text } } });

  async function direct(body: string, headers: Record<string, string> = {}): Promise<[number, string]> {
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers }, signal: AbortSignal.timeout(5_000) });
    return [answer.status, await answer.text()];
  }

  async function through(body: string): Promise<Answered> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const opened = await stage.post('guarded', ada, { jsonrpc: '2.0', id: 0, method: 'initialize', params }, { host });
    const session = opened.headers['mcp-session-id'];
    return stage.post('guarded', ada, body, { host, 'mcp-session-id': String(session) });
  }

  it('lets in what comes through Gatehouse, once, and nothing else', async () => {
    expect(await direct(message('straight'))).toEqual([401, 'ERR_JWS_INVALID']);
    const called = await through(message('through'));
    expect([called.status, called.json.result?.content[0].text]).toEqual([200, 'done']);
    const [statement] = statements.slice(-1);
    expect(await direct(message('other'), { 'gatehouse-call': statement! })).toEqual([401, 'not about this body']);
    expect(await direct(message('through'), { 'gatehouse-call': statement! })).toEqual([401, 'seen before']);
    const [head, claims, signature] = statement!.split('.');
    const bent = Buffer.from(claims!, 'base64url').toString().replace(/"sub":"[^"]+"/, '"sub":"per_other"');
    const altered = [head, Buffer.from(bent).toString('base64url'), signature].join('.');
    expect(await direct(message('through'), { 'gatehouse-call': altered })).toEqual([401, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED']);
  }, 20_000);
});
