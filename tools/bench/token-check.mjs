import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { build } from '../run-step.mjs';

// What finding out who calls costs at an edge: a token that was seen before, and one that is new.
// Targets: 5 µs and 300 µs. `node tools/bench/token-check.mjs`; quiet machine, the medians count.
const ROUNDS = 60;
const TOKENS = 2_000;
const WARM_UP = 500;
const ORIGIN = 'https://gatehouse.example';
const RESOURCE = `${ORIGIN}/mcp/notes`;
const CALLER = 'per_019a0000-0000-7000-8000-000000000000';
const KEY_ID = 'key_019a0000-0000-7000-8000-000000000001';

const built = await build('libs/services/gateway');
if (built !== 0) process.exit(built);
const from = (path) => import(new URL(`../../libs/${path}`, import.meta.url).href);
const { TokenCheck } = await from('services/gateway/dist/tokens/token-check.js');
const { Resources } = await from('services/gateway/dist/tokens/resources.js');
const { DirectoryState } = await from('services/gateway/dist/snapshot/directory-state.js');
const { systemClock } = await from('kernel/dist/index.js');
const { createLogger } = await from('telemetry/dist/index.js');

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const state = new DirectoryState({
  epoch: 'bench',
  version: 1,
  issuedAt: Date.now(),
  callers: [{ id: CALLER, kind: 'person', name: 'Ada', email: null, roles: ['member'], teams: [], capabilities: [] }],
  tokens: [],
  keys: [{ id: KEY_ID, jwk: publicKey.export({ format: 'jwk' }) }],
  denied: [],
  issuers: [],
});
const check = new TokenCheck({ clock: systemClock, log: createLogger({ service: 'bench', level: 'silent' }), resources: new Resources(new URL(ORIGIN)), directory: () => state, ephemeral: {}, requests: {} });
const use = { resource: RESOURCE, method: 'POST', address: RESOURCE };

function minted() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: ORIGIN, sub: CALLER, aud: RESOURCE, client_id: 'dcr_abcdefghijklmnopqrstuv', scope: 'mcp:access', gid: randomUUID(), jti: randomUUID(), iat, exp: iat + 3_600 };
  const text = `${part({ alg: 'ES256', typ: 'at+jwt', kid: KEY_ID })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

// As Node hands it over: a fresh string per request, whose hash nobody computed yet.
const presented = (text) => ({ scheme: 'bearer', proof: undefined, text: Buffer.from(text, 'latin1').toString('latin1') });
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(values.length * q)];

const tokens = Array.from({ length: TOKENS }, minted);
const fresh = [];
for (const token of tokens) {
  const asked = presented(token);
  const started = process.hrtime.bigint();
  await check.callerOf(asked, use);
  fresh.push(Number(process.hrtime.bigint() - started) / 1_000);
}
const seen = [];
for (let round = 0; round < ROUNDS; round++) {
  const asked = tokens.map(presented);
  const started = process.hrtime.bigint();
  for (const each of asked) check.callerOf(each, use);
  seen.push(Number(process.hrtime.bigint() - started) / 1_000 / asked.length);
}
const late = fresh.slice(WARM_UP);
process.stdout.write(`new token:         p50 ${quantile(late, 0.5).toFixed(0)} µs, p90 ${quantile(late, 0.9).toFixed(0)} µs (target 300)\n`);
process.stdout.write(`seen before:       p50 ${quantile(seen, 0.5).toFixed(2)} µs, p90 ${quantile(seen, 0.9).toFixed(2)} µs (target 5)\n`);
