import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { auditContracts, authContracts, serverContracts } from '@gatehouse/contracts';
import { EdgeStage, type Answered } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { AnsweringServices } from './answering-services.conformance.js';

describe('the log of a server', () => {
  let neighbours: Neighbours;
  let services: AnsweringServices;
  let stage: EdgeStage;
  let administrator: string;
  let records: { items: auditContracts.AuditRecord[]; nextCursor: string | null };
  let lines: serverContracts.ServerLine[];

  beforeAll(async () => {
    neighbours = new Neighbours();
    await neighbours.serve();
    services = new AnsweringServices(neighbours);
    await services.serve();
    services.answers.set(auditContracts.queryRecords.subject, () => records);
    services.answers.set(serverContracts.listServerLines.subject, () => ({ items: lines }));
    administrator = neighbours.addToken('Ada', { scopes: ['admin'], capabilities: [...authContracts.CAPABILITIES] });
    stage = await (await EdgeStage.start(neighbours)).ready();
  });

  beforeEach(() => {
    services.asked.splice(0);
    records = { items: [], nextCursor: null };
    lines = [];
  });

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
  });

  const ask = (query = ''): Promise<Answered> => stage.send('GET', `/api/v1/servers/demo/logs${query}`, { authorization: `Bearer ${administrator}` });
  const record = (at: number, method: string, target: string | null, outcome: object): auditContracts.AuditRecord => {
    const [sample] = services.sample(auditContracts.queryRecords).items;
    const facts = { ...sample.facts, method, target, caller: { ...sample.facts.caller, name: 'Somebody' } };
    const ended = { status: 'upstream_error', code: 'upstream_unreachable', reason: 'tls_expired', steps: { total: 12.5 }, httpStatus: 502, upstreamStatus: null, resultDigest: null, bytesOut: 1, events: 0, faultId: null };
    return { ...sample, id: `call-${at}`, at, facts, outcome: { ...ended, ...outcome } };
  };

  it('joins what policy keeps with calls that went badly, in the order of time, and names nobody', async () => {
    lines = [{ seq: 1, at: 10, kind: 'state', event: 'registered', detail: null }, { seq: 2, at: 30, kind: 'probe', event: 'failing', detail: 'dns: No.' }];
    records.items = [record(40, 'resources/read', 'mail://somebody', { status: 'ok', code: null, reason: undefined, steps: { total: 3_012.5 } }), record(20, 'tools/call', 'search', {})];
    const { status, json, text } = await ask();
    expect([status, json.nextCursor]).toEqual([200, null]);
    expect(json.items.map(({ at, kind, event, detail, ms, record: id }: any) => [at, kind, event, detail, ms, id])).toEqual([
      [10, 'state', 'registered', null, null, null],
      [20, 'call', 'tools/call search', 'upstream_error (upstream_unreachable: tls_expired)', 12.5, 'call-20'],
      [30, 'probe', 'failing', 'dns: No.', null, null],
      [40, 'call', 'resources/read', 'slow', 3012.5, 'call-40'],
    ]);
    expect(text.toLowerCase()).not.toContain('somebody');
    expect(services.askedOf(auditContracts.queryRecords)).toMatchObject([{ filter: { kind: 'mcp', since: 0, troubledBeyondMs: 3_000 }, follow: false, limit: 100, cursor: null }]);
  });

  it('has calls made while the server was debugged, with the time of each hop', async () => {
    records.items = [record(40, 'tools/call', 'search', { status: 'ok', code: null, reason: undefined, steps: { authenticate: 0.1, credential: 0.2, forward: 11, total: 12.5 }, hops: { connection: 'reused', bytesUp: 7, bytesDown: 9, firstByte: 10.5, end: 10.84 } })];
    const { json } = await ask();
    expect(json.items).toMatchObject([{ event: 'tools/call search', detail: 'ok; authenticate 0.1 ms; credential 0.2 ms; forward 11 ms; connection reused, first byte 10.5 ms, end 10.8 ms, 7 B up, 9 B down', ms: 12.5 }]);
  });

  it('is cut to the newest lines of both', async () => {
    lines = [1, 3].map((at) => ({ seq: at, at, kind: 'state', event: 'started', detail: null }));
    records.items = [record(4, 'tools/call', 'a', {}), record(2, 'tools/call', 'a', {})];
    expect((await ask('?limit=2')).json.items.map(({ at }: any) => at)).toEqual([3, 4]);
  });

  it('is followed from where the last answer ended, in both', async () => {
    lines = [{ seq: 7, at: 10, kind: 'state', event: 'stopped', detail: null }];
    records.nextCursor = 'of-audit';
    const first = await ask('?follow=true&since=5');
    lines = [];
    const second = await ask(`?follow=true&waitMs=10&cursor=${first.json.nextCursor}`);
    await ask(`?follow=true&cursor=${second.json.nextCursor}`);
    expect(services.askedOf(auditContracts.queryRecords).map(({ filter, cursor }) => [filter.since, cursor])).toEqual([[5, null], [5, 'of-audit'], [5, 'of-audit']]);
    expect(services.askedOf(serverContracts.listServerLines).map(({ since, after }) => [since, after])).toEqual([[5, 0], [5, 7], [5, 7]]);
  });

  it.each(['x', Buffer.from('[1,2]').toString('base64url'), Buffer.from('[-1,0,null]').toString('base64url')])('is refused for the cursor %s', async (cursor) => {
    const { status, json } = await ask(`?follow=true&cursor=${cursor}`);
    expect([status, json.code]).toEqual([400, 'invalid_cursor']);
  });
});
