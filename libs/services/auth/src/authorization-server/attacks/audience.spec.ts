import { callbackParameters, type ScriptedBrowser } from '@gatehouse/testing';
import { Refusal } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthStage } from '../../auth-stage.conformance.js';
import { accessTokenOf, Connecting, refreshTokenOf } from '../connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;
let browser: ScriptedBrowser;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
  browser = await stage.signedInBrowser(ada);
}, 60_000);
afterAll(() => stage.close(), 30_000);

const mail = (): string => `${stage.origin}/mcp/mail`;
const BAD: [string, () => string][] = [
  ['an endpoint that does not exist', () => `${stage.origin}/mcp/unknown`],
  ['another origin', () => 'https://evil.test/mcp/notes'],
  ['the bare origin', () => stage.origin],
  ['a fragment', () => `${desk.notes}#x`],
  ['a query', () => `${desk.notes}?x=1`],
  ['a user', () => desk.notes.replace('//', '//user@')],
  ['a deeper path', () => `${desk.notes}/deeper`],
  ['an encoded slug', () => `${stage.origin}/mcp/no%74es`],
  ['no URL', () => 'notes'],
  ['another spelling of the slug', () => `${stage.origin}/mcp/NOTES`],
  ['the admin API, for a client that named itself', () => `${stage.origin}/api/v1`],
];

describe('the resource a token is for', () => {
  it.each(BAD)('cannot be %s at the authorization endpoint', async (_what, resource) => {
    const page = await desk.ask(await desk.registered(), browser, { resource: resource() });
    expect(callbackParameters(page.url)).toMatchObject({ error: 'invalid_target', iss: stage.origin });
  });

  it.each(BAD)('cannot become %s at the token endpoint, and the code is not lost by asking', async (_what, resource) => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser);
    expect((await client.exchange(code, { resource: resource() })).json['error']).toBe('invalid_target');
    expect((await client.exchange(code)).status).toBe(200);
  });

  it.each([...BAD, ['an endpoint that was not granted', mail] as [string, () => string]])('cannot become %s by refreshing, and the refresh token is not lost', async (_what, resource) => {
    const { client, tokens } = await desk.connected(ada);
    expect((await client.refresh(refreshTokenOf(tokens), { resource: resource() })).json['error']).toBe('invalid_target');
    stage.clock.advance(31_000);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });

  it('cannot become another granted to somebody else’s code', async () => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser);
    expect((await client.exchange(code, { resource: mail() })).json['error']).toBe('invalid_target');
    expect(decodeJwt(accessTokenOf(await client.exchange(code))).aud).toBe(desk.notes);
  });

  it('is one, in one spelling, however the client spells it', async () => {
    const client = await desk.registered();
    const loud = desk.notes.replace('http://', 'HTTP://');
    const { code } = await desk.consented(client, browser, { resource: `${loud}/` });
    const tokens = await client.exchange(code, { resource: `${desk.notes}/` });
    expect(decodeJwt(accessTokenOf(tokens)).aud).toBe(desk.notes);
    expect(decodeJwt(accessTokenOf(await client.refresh(refreshTokenOf(tokens), { resource: undefined }))).aud).toBe(desk.notes);
  });

  it('is one, also when the client was let into two', async () => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser, { resource: [desk.notes, mail()] });
    expect((await client.exchange(code, { resource: [desk.notes, mail()] })).json['error']).toBe('invalid_target');
    expect(decodeJwt(accessTokenOf(await client.exchange(code, { resource: mail() }))).aud).toBe(mail());
  });

  it('must be named where there are several, and need not where there is one', async () => {
    const client = await desk.registered();
    const page = await desk.ask(client, browser, { resource: undefined });
    expect(callbackParameters(page.url)['error']).toBe('invalid_target');
    stage.neighbours.endpoints = ['notes'];
    const { code } = await desk.consented(client, browser, { resource: undefined });
    stage.neighbours.endpoints = ['notes', 'mail'];
    expect(decodeJwt(accessTokenOf(await client.exchange(code, { resource: undefined }))).aud).toBe(desk.notes);
  });

  it('the scope is that of the resource, whatever was asked', async () => {
    for (const scope of [undefined, 'unknown', 'admin', 'mcp:access admin', 'tools:read offline_access']) {
      const client = await desk.registered();
      const { code } = await desk.consented(client, browser, { scope });
      expect(decodeJwt(accessTokenOf(await client.exchange(code))).scope).toBe('mcp:access');
    }
  });
});

describe('when the policy service is away', () => {
  it('no new endpoint is given, and a known one is refreshed', async () => {
    const { client, tokens } = await desk.connected(ada);
    stage.neighbours.trouble = new Refusal('service_unavailable');
    const second = await client.refresh(refreshTokenOf(tokens));
    expect(second.status).toBe(200);
    stage.clock.advance(6_000);
    expect((await client.refresh(refreshTokenOf(second))).status).toBe(200);
    const page = await desk.ask(await desk.registered(), browser, { resource: `${stage.origin}/mcp/never-seen` });
    expect(page.url.includes('code=')).toBe(false);
    expect((await desk.ask(client, browser, { resource: undefined })).status).toBe(503);
    stage.neighbours.trouble = undefined;
  });
});
