import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerHonestly, startConformanceUpstream, startRawUpstream, type ConformanceUpstream, type RawExchange } from '@gatehouse/testing';
import { EdgeStage } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const ALL = 'permit(principal, action, resource);';
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

describe('lists', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let upstream: ConformanceUpstream;
  let ada: string;

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startConformanceUpstream();
    ada = neighbours.addToken('ada');
    neighbours.addServer('tools', upstream.url);
    neighbours.setPolicy(ALL);
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);
  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
  });

  const listed = async (policy: string): Promise<string[]> => {
    neighbours.setPolicy(policy);
    await stage.changed();
    const session = await stage.session('tools', ada);
    const answer = await stage.post('tools', ada, list, { 'mcp-session-id': session });
    return answer.json.result.tools.map(({ name }: { name: string }) => name);
  };

  it('show a tool that only some arguments are let through to', async () => {
    const limited = `${ALL} forbid(principal, action == Gatehouse::Action::"call", resource) when { context.arguments.text == "secret" };`;
    expect(await listed(limited)).toContain('echo');
  });

  it('leave out a tool that no arguments are let through to', async () => {
    const names = await listed(`${ALL} forbid(principal, action, resource == Gatehouse::Tool::"tools/echo");`);
    expect(names).not.toContain('echo');
    expect(names.length).toBeGreaterThan(0);
  });

  it('are filtered by the policies in force when the answer passes, not by those of when it was asked for', async () => {
    let answerNow!: () => void;
    const held = new Promise<void>((resolve) => (answerNow = resolve));
    const answerLate = ({ rpc, response }: RawExchange): void => void held.then(() => answerHonestly(rpc, response));
    const slow = await startRawUpstream(answerLate, { methods: ['tools/list'] });
    neighbours.addServer('slow', slow.url);
    neighbours.setPolicy(ALL);
    await stage.changed();
    const session = await stage.session('slow', ada);
    const asked = stage.post('slow', ada, list, { 'mcp-session-id': session });
    while (slow.calls('tools/list').length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    neighbours.setPolicy(`${ALL} forbid(principal, action == Gatehouse::Action::"call", resource);`);
    await stage.changed();
    answerNow();
    expect((await asked).json.result.tools).toEqual([]);
    await slow.close();
  });
});
