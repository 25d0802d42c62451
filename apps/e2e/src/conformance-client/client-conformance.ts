import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Member, LOCAL_ACCOUNTS } from '../identities/member.js';
import { startDistributed } from '../world/distributed-world.js';
import { startEmbedded } from '../world/embedded-world.js';
import type { World } from '../world/world.js';
import { playThroughGatehouse, type Job } from './gatehouse-as-client.js';
import { runClientScenario, surprises, type ScenarioOutcome } from './run-client-scenario.js';
import { CLIENT_SCENARIOS, type ClientScenario } from './scenarios.js';

/** Where the suite's client processes hand their work over. */
export interface Desk {
  readonly url: string;
  close(): Promise<void>;
}

/** Opens the desk at which a Gatehouse, and a person who works with it, take the suite's servers. */
export async function openDesk(world: World): Promise<Desk> {
  const member = await Member.join(world, 'Suite', ['administrator']);
  const server = createServer((request, response) => {
    void read(request)
      .then((job) => playThroughGatehouse(world, member, job))
      .then((said) => response.writeHead(200).end(said))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** Runs every `auth/*` scenario of the suite at `cli`, or one, with a Gatehouse as the client; the exit code. */
export async function clientConformance(form: 'one' | 'five', suite: { cli?: string; scenario?: string }, print: (line: string) => void): Promise<number> {
  const world = await (form === 'one' ? startEmbedded(LOCAL_ACCOUNTS) : startDistributed({ auth: LOCAL_ACCOUNTS }));
  const desk = await openDesk(world);
  try {
    const wanted = CLIENT_SCENARIOS.filter(({ name }) => suite.scenario === undefined || name === suite.scenario);
    let wrong = 0;
    for (const scenario of wanted) {
      const outcome = await runClientScenario(scenario, desk.url, suite.cli);
      print(lineOf(scenario, outcome));
      wrong += surprises(scenario, outcome).length;
    }
    return wrong > 0 ? 1 : 0;
  } finally {
    await desk.close();
    await world.stop();
  }
}

function lineOf(scenario: ClientScenario, outcome: ScenarioOutcome): string {
  const wrong = surprises(scenario, outcome);
  const expected = Object.entries(scenario.except ?? {}).map(([check, why]) => `  as expected without ${check}: ${why}`);
  const detail = wrong.length === 0 ? expected : [...wrong.map((each) => `  ${each}`), `  the client said: ${outcome.said.slice(0, 2_000)}`];
  return [`${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${scenario.name} (${outcome.succeeded} checks)`, ...detail].join('\n');
}

async function read(request: IncomingMessage): Promise<Job> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Job;
}
