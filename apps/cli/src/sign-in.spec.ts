import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { refusal, startGatewayWorld, type GatewayWorld } from '../test/gateway-world.js';
import { invoke } from '../test/invoke.js';

const ME = {
  ...{ id: 'per_01990000-0000-7000-8000-000000000001', kind: 'person', name: 'Administrator', email: null, clientId: null },
  roles: ['administrator'],
  teams: [],
  capabilities: ['servers.manage'],
  scopes: ['admin'],
};

let world: GatewayWorld;
beforeEach(async () => {
  world = await startGatewayWorld({ 'GET /api/v1/whoami': { body: ME } });
});
afterEach(() => world.close());

describe('whose token', () => {
  it('is the one of GATEHOUSE_TOKEN', async () => {
    const ran = await invoke(['whoami', '-o', 'table'], { url: world.url, token: 't1', files: { '.gatehouse/admin.token': 't2' } });
    expect(ran.out).toMatch(/name +Administrator/);
    expect(world.arrived[0]?.headers.authorization).toBe('Bearer t1');
  });

  it("else the local administrator's", async () => {
    await invoke(['whoami'], { url: world.url, token: undefined, files: { '.gatehouse/admin.token': 't2\n' } });
    expect(world.arrived[0]?.headers.authorization).toBe('Bearer t2');
  });

  it("never sends the local administrator's to another machine unless the data directory was named", async () => {
    const given = { url: 'https://gatehouse.example.invalid', token: undefined, files: { '.gatehouse/admin.token': 't2' } };
    expect((await invoke(['whoami'], given)).code).toBe(3);
    expect((await invoke(['whoami'], { ...given, dataDirNamed: true })).err).toContain('no answer from');
  });

  it('exits 3 and says what to set when there is none', async () => {
    const ran = await invoke(['whoami'], { url: world.url, token: undefined });
    expect(ran.code).toBe(3);
    expect(ran.err).toContain('there is no .gatehouse/admin.token');
    expect(world.arrived).toEqual([]);
  });

  it('exits 3 when the gateway does not accept it', async () => {
    await world.close();
    world = await startGatewayWorld({ 'GET /api/v1/whoami': refusal(401, 'unauthenticated', 'A valid access token is required.') });
    expect(await invoke(['whoami'], { url: world.url })).toMatchObject({ code: 3, out: '' });
  });

  it('does not follow a redirect with it', async () => {
    await world.close();
    const other = await startGatewayWorld({});
    world = await startGatewayWorld({ 'GET /api/v1/whoami': { status: 307, headers: { location: `${other.url}/api/v1/whoami` } } });
    const ran = await invoke(['whoami'], { url: world.url });
    expect({ code: ran.code, reached: other.arrived.length }).toEqual({ code: 1, reached: 0 });
    await other.close();
  });
});

describe('what can be wrong with the gateway', () => {
  it('is not running', async () => {
    const ran = await invoke(['whoami'], { url: 'http://127.0.0.1:1' });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('next: is it running? npm start') });
  });

  it('is not a gateway', async () => {
    await world.close();
    world = await startGatewayWorld({ 'GET /api/v1/whoami': { status: 502, body: 'bad' } });
    expect((await invoke(['whoami'], { url: world.url })).err).toContain('HTTP 502, not from Gatehouse');
  });

  it('answers what this version does not know', async () => {
    await world.close();
    world = await startGatewayWorld({ 'GET /api/v1/whoami': { body: { id: 7 } } });
    expect((await invoke(['whoami'], { url: world.url })).err).toContain('not what this version expects');
  });

  it('has no URL', async () => {
    expect(await invoke(['whoami'], { url: 'gatehouse' })).toMatchObject({ code: 2 });
  });
});
