import { request } from 'node:http';
import { admin, eventually, type World } from '../world/world.js';

/** A place where somebody tells Gatehouse an address. */
export interface EntryPoint {
  name: string;
  /** Whether Gatehouse goes to a good address that it is told there. */
  isFollowed: boolean;
  /** How many may tell at the same time; several unless told. */
  atOnce?: number;
  /** Tells it the address and does what would make it go there; several may tell at once, each under a number. */
  tell(url: string, teller: number): Promise<void>;
}

let told = 0;
const CLIENT_ADDRESSES = 250;
const CALLBACK = 'http://127.0.0.1:33418/callback';

/** Every place where an administrator, a client or a maker of clients states an address outright. */
export function statedAddresses(world: World): EntryPoint[] {
  return [...toldByAdministrators(world), ...toldByClients(world)];
}

const followed = (name: string, tell: EntryPoint['tell']): EntryPoint => ({ name, isFollowed: true, tell });
const kept = (name: string, tell: EntryPoint['tell']): EntryPoint => ({ name, isFollowed: false, tell });

function toldByAdministrators(world: World): EntryPoint[] {
  const api = admin(world);
  const probed = async (body: object): Promise<void> => {
    const name = `told-${told++}`;
    const { status } = await api.send('POST', '/servers', { name, ...body });
    if (status >= 300) return;
    // Gone before the look at it, it would prove nothing.
    await eventually(async () => ((await api.ok('GET', `/servers/${name}`)).health.checkedAt === null ? undefined : true), 20_000);
    await api.send('DELETE', `/servers/${name}`);
  };
  return [
    followed('the address of a new server', (url) => probed({ url })),
    followed('the new address of a server', async (url, teller) => {
      const name = `moved-${teller}`;
      const { status } = await api.send('PATCH', `/servers/${name}`, { url });
      if (status === 404) await api.ok('POST', '/servers', { name, url: 'https://mcp.example/mcp' });
      if (status === 404) await api.send('PATCH', `/servers/${name}`, { url });
      if (status !== 422) await api.send('POST', `/servers/${name}/restart`);
    }),
    followed('a registry to import from', async (url) => void (await api.send('POST', '/catalogue/import', { url }))),
    followed('an identity provider to test', async (url) => void (await api.send('POST', '/identity-providers/test', { issuer: url }))),
    kept('an identity provider', async (url) => void (await api.send('PUT', '/identity-providers/wanted', { displayName: 'Wanted', issuer: url, clientId: 'x' }))),
    followed('a token issuer', async (url) => {
      const { status } = await api.send('PUT', '/token-issuers/wanted', { issuer: url, audience: 'x' });
      if (status < 300) await presentToken(world, url);
    }),
    followed('the keys of a token issuer', async (url) => {
      const issuer = `https://issuer-${told++}.example`;
      const { status } = await api.send('PUT', '/token-issuers/keyed', { issuer, jwksUri: url, audience: 'x' });
      if (status < 300) await presentToken(world, issuer);
    }),
    kept('the settings of a preset', async (url) => {
      const oauth = { issuer: url, authorizeUrl: url, tokenUrl: url, issuerAlias: url };
      const { status } = await api.send('PUT', '/presets/trap', { title: 'Trap', hosts: ['mcp.example'], oauth });
      if (status < 300) await probed({ url: 'https://mcp.example/mcp', auth: { kind: 'oauth' } });
      await api.send('DELETE', '/presets/trap');
    }),
  ];
}

function toldByClients(world: World): EntryPoint[] {
  return [
    followed('the document of a client', async (url) => {
      const query = new URLSearchParams({ client_id: url, response_type: 'code', redirect_uri: CALLBACK, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: 's' });
      await fromSomewhere(`${world.edges[0]!}/authorize?${query.toString()}`);
    }),
    kept('every address of a client that registers itself', async (url) => {
      const uris = Object.fromEntries(['jwks_uri', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'sector_identifier_uri', 'initiate_login_uri', 'backchannel_logout_uri'].map((name) => [name, url]));
      await fromSomewhere(`${world.edges[0]!}/register`, { client_name: 'x', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'private_key_jwt', request_uris: [url], ...uris });
    }),
    kept('where a client is sent back to', async (url) => {
      await fromSomewhere(`${world.edges[0]!}/register`, { client_name: 'x', redirect_uris: [url], token_endpoint_auth_method: 'none' });
    }),
  ];
}

/** Lets an edge meet a token of that issuer whose key it does not know. */
async function presentToken(world: World, issuer: string): Promise<void> {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'ES256', kid: `k${told++}`, typ: 'at+jwt' })}.${part({ iss: issuer, sub: 'x', aud: 'x', exp: 4_000_000_000 })}.${'x'.repeat(86)}`;
  await fromSomewhere(`${world.edges[0]!}/mcp/nothing`, { jsonrpc: '2.0', id: 1, method: 'ping' }, { authorization: `Bearer ${token}` });
}

/** One loopback address after the other: limits are per address, and are not what is tested here. */
export function anotherAddress(): string {
  return `127.1.${1 + (told % CLIENT_ADDRESSES)}.${1 + (Math.floor(told++ / CLIENT_ADDRESSES) % CLIENT_ADDRESSES)}`;
}

function fromSomewhere(url: string, body?: object, headers: Record<string, string> = {}): Promise<number> {
  const localAddress = anotherAddress();
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: body === undefined ? 'GET' : 'POST', localAddress, agent: false, headers: { ...json, ...headers } }, (answer) => {
      answer.resume().on('end', () => (answer.statusCode === 429 ? reject(new Error(`limited: ${url}`)) : resolve(answer.statusCode ?? 0)));
    });
    sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}
