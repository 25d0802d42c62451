import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cli, cliJson } from './world/cli.js';
import { withDemo } from './world/sample.js';
import { admin, eventually, inBothForms } from './world/world.js';

inBothForms('A newcomer calls a tool and sees the record', (world) => {
  let demo: { close(): Promise<void> };
  beforeAll(async () => {
    demo = await withDemo(world());
  });
  afterAll(() => demo.close());

  it('answers the call that the first lines in the terminal name', async () => {
    const answer = await cli(world(), ['call', 'demo', 'echo', '{"text":"hi"}']);
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.stdout).toContain('hi');
  });

  it('shows who called what, by which policy, with whose identity, how it ended and how long each step took', async () => {
    await cli(world(), ['call', 'demo', 'add', '{"a":2,"b":3}']);
    const record = await eventually(async () => {
      const items = await cliJson(world(), ['audit', 'query', '--tool', 'add']);
      return items.find((item: { outcome: unknown }) => item.outcome !== null);
    });
    expect(record.facts).toMatchObject({
      kind: 'mcp',
      caller: { kind: 'person' },
      server: { name: 'demo' },
      method: 'tools/call',
      target: 'add',
      argumentKeys: ['a', 'b'],
      decision: { effect: 'allow', reason: 'permitted', policies: ['signed-in-people-may-call'] },
      identity: { visibility: 'none' },
    });
    expect(record.facts.definition).toMatch(/^[0-9a-f]{64}$/);
    expect(record.outcome).toMatchObject({ status: 'ok', httpStatus: 200 });
    for (const step of ['authenticate', 'resolve', 'authorize', 'record', 'credential', 'forward', 'total']) {
      expect(record.outcome.steps[step]).toBeGreaterThanOrEqual(0);
    }
    const table = await cli(world(), ['audit', 'query', '--tool', 'add', '-o', 'table']);
    expect(table.stdout).toContain('signed-in-people-may-call');
  });

  it('refuses everything once the first policy is deleted, and records each refusal', async () => {
    const api = admin(world());
    const policy = await api.ok('GET', '/policies/signed-in-people-may-call');
    expect(await cli(world(), ['policy', 'delete', 'signed-in-people-may-call'])).toMatchObject({ code: 0 });
    const refused = await cli(world(), ['call', 'demo', 'echo', '{"text":"hi"}']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('No policy permits this');
    await eventually(async () => {
      const items = await cliJson(world(), ['audit', 'query', '--decision', 'deny']);
      return items.find((item: any) => item.outcome?.code === 'policy_denied' && item.facts.decision.reason === 'no_policy');
    });
    await api.ok('PUT', '/policies/signed-in-people-may-call', policy.text);
    await eventually(async () => ((await cli(world(), ['call', 'demo', 'echo', '{"text":"hi"}'])).code === 0 ? true : undefined));
  });

  it('says that a token is missing with exit code 3, and what is wrong with a word with 2', async () => {
    expect(await cli(world(), ['whoami'], { GATEHOUSE_TOKEN: 'wrong' })).toMatchObject({ code: 3 });
    expect(await cli(world(), ['call', 'demo', 'echo', '{not json'])).toMatchObject({ code: 2 });
  });
});
