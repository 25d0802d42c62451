import { afterEach, describe, expect, it } from '@jest/globals';
import { refusal, startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';
import { samplePerson, samplePolicy, sampleToken } from '../../test/samples.js';

const ADA = 'per_01990000-0000-7000-8000-000000000002';
const accounts = { 'GET /api/v1/service-accounts': { body: { items: [], nextCursor: null } } };
const people = { 'GET /api/v1/people': { body: { items: [samplePerson()], nextCursor: null } } };

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, ...given });
}

const sent = () => world.arrived.at(-1)?.body;

describe('token', () => {
  const created = { 'POST /api/v1/tokens': { status: 201, body: { ...sampleToken(), token: 'ghp_gatehouse_x' } } };

  it('create shows the token once, and asks for just what was named', async () => {
    const ran = await gatehouse(created, ['token', 'create', 'laptop'], { terminal: true });
    expect(ran.out).toMatch(/token +ghp_gatehouse_x/);
    expect(ran.err).toContain('not shown again');
    expect(sent()).toEqual({ name: 'laptop' });
  });

  it('create takes scopes, a person by e-mail and an expiry', async () => {
    const args = ['token', 'create', '--scope', 'admin', 'ci', '--scope', 'mcp:access', '--caller', 'ada@example.com', '--expires', '90d'];
    await gatehouse({ ...created, ...people, ...accounts }, args, { now: 1_000 });
    expect(sent()).toEqual({ name: 'ci', scopes: ['admin', 'mcp:access'], callerId: ADA, expiresAt: 1_000 + 90 * 86_400_000 });
  });

  it.each([
    [['--expires', 'soon'], '"soon" is no time'],
    [['--scope', 'all'], 'Allowed choices are'],
  ])('create refuses %j as usage', async (args, message) => {
    expect(await gatehouse(created, ['token', 'create', 'x', ...args])).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });

  it('list and revoke', async () => {
    const routes = { 'GET /api/v1/tokens': { body: { items: [sampleToken()], nextCursor: null } }, 'POST /api/v1/tokens/tok_1/revoke': { body: {} } };
    expect((await gatehouse(routes, ['token', 'list', '-o', 'table'])).out).toContain('laptop');
    expect((await invoke(['token', 'revoke', 'tok_1'], { url: world.url })).code).toBe(0);
  });
});

const TWO = '@id("a") permit(principal, action, resource);\n@id("b") forbid(principal, action, resource);';

describe('policy', () => {
  it('apply sends the named policies of all files at once', async () => {
    const routes = { 'POST /api/v1/policies/apply': { body: { items: [samplePolicy()], snapshot: { version: '2' } } } };
    const ran = await gatehouse(routes, ['policy', 'apply', '-f', 'dir/two.cedar', '-f', 'dir/one.cedar'], {
      files: { 'dir/two.cedar': TWO, 'dir/one.cedar': 'permit(principal, action, resource);' },
    });
    expect(ran.code).toBe(0);
    expect((sent() as { policies: { name: string }[] }).policies.map(({ name }) => name)).toEqual(['a', 'b', 'one']);
  });

  it('apply names the file that is wrong', async () => {
    const ran = await gatehouse({}, ['policy', 'apply', '-f', 'x.cedar'], { files: { 'x.cedar': '// nothing' } });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('x.cedar: there is no policy') });
    expect((await invoke(['policy', 'apply'], {})).code).toBe(2);
  });

  it('apply shows where the text is wrong', async () => {
    const problem = refusal(422, 'invalid_policy', 'The policy text is not valid.', { policy: 'x', problem: 'unexpected end', errors: [{ pointer: '/policies/0', detail: 'line 1' }] });
    const ran = await gatehouse({ 'POST /api/v1/policies/apply': problem }, ['policy', 'apply', '-f', 'x.cedar'], { files: { 'x.cedar': 'permit(' } });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('not valid.\n  /policies/0: line 1\n  policy: x\n  problem: unexpected end [invalid_policy]\nnext: correct the text');
  });

  it('list, show and delete', async () => {
    const routes = {
      'GET /api/v1/policies': { body: { items: [samplePolicy()], nextCursor: null } },
      'GET /api/v1/policies/everyone': { body: samplePolicy() },
      'DELETE /api/v1/policies/everyone': { body: {} },
    };
    expect((await gatehouse(routes, ['policy', 'list', '-o', 'table'])).out).toMatch(/everyone +1 .*first start/);
    expect((await invoke(['policy', 'show', 'everyone', '-o', 'table'], { url: world.url })).out).toBe('permit(principal, action, resource);\n');
    expect((await invoke(['policy', 'delete', 'everyone'], { url: world.url })).code).toBe(0);
  });
});

describe('policy test', () => {
  const deny = { 'POST /api/v1/policies/test': { body: { effect: 'deny', reason: 'no_policy', policies: [] } } };

  it('asks for a person as they are here, with what their teams add', async () => {
    const ran = await gatehouse({ ...deny, ...people }, ['policy', 'test', 'demo', 'echo', '{"text":"x"}', '--person', 'ada@example.com', '-o', 'table']);
    expect(ran.out).toMatch(/decision +deny\nbecause +no policy permits it/);
    expect(sent()).toEqual({
      question: {
        person: { id: ADA, email: 'ada@example.com', teams: ['analysis', 'on-call'], roles: ['member', 'operator'] },
        server: 'demo',
        client: '',
        action: 'call',
        target: 'echo',
        arguments: { text: 'x' },
      },
      draft: null,
    });
  });

  it('asks for an imagined person over a draft', async () => {
    await gatehouse(deny, ['policy', 'test', 'demo', '--team', 'x', '-f', '-'], { input: TWO });
    expect(sent()).toMatchObject({ question: { person: { teams: ['x'] }, action: 'connect', target: null }, draft: [{ name: 'a' }, { name: 'b' }] });
  });

  it.each([
    ['allow', 4],
    ['deny', 0],
  ])('--expect %s exits %i when the answer is deny', async (expected, code) => {
    expect((await gatehouse(deny, ['policy', 'test', 'demo', 'echo', '--expect', expected])).code).toBe(code);
  });

  it('refuses arguments that are no JSON object', async () => {
    expect(await gatehouse(deny, ['policy', 'test', 'demo', 'echo', '[1]'])).toMatchObject({ code: 2 });
  });
});
