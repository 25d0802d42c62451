import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openDesk, type Desk } from './conformance-client/client-conformance.js';
import { runClientScenario, surprises } from './conformance-client/run-client-scenario.js';
import { CLIENT_SCENARIOS, SHORT } from './conformance-client/scenarios.js';
import { LOCAL_ACCOUNTS } from './identities/member.js';
import { inBothForms } from './world/world.js';

inBothForms(
  'The official conformance suite, with Gatehouse as the client',
  (world) => {
    let desk: Desk;

    beforeAll(async () => {
      desk = await openDesk(world());
    }, 60_000);
    afterAll(() => desk.close());

    it.each(CLIENT_SCENARIOS.filter(({ name }) => SHORT.includes(name)))('$name', async (scenario) => {
      const outcome = await runClientScenario(scenario, desk.url);
      expect({ wrong: surprises(scenario, outcome), said: outcome.said }).toEqual({ wrong: [], said: expect.any(String) });
    });
  },
  () => ({ shared: { GATEHOUSE_LOG_LEVEL: 'warn' }, auth: LOCAL_ACCOUNTS }),
);
