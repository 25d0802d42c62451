import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startConformanceUpstream, type ConformanceUpstream } from '@gatehouse/testing';
import { connectedClient, type ConnectedClient } from './clients/connected-client.js';
import type { Company } from './world/company.js';
import { freshToken } from './world/fresh-token.js';
import { admin, eventually, registered, servedEverywhere, type World } from './world/world.js';

const NAMES = ['disabled', 'logged-out', 'revoked', 'denied', 'scim'] as const;
const ENDPOINT = 'talks';

/** The people of the company whose access ends here. */
export const LEAVING = NAMES.map((sub) => ({ sub, name: `Person ${sub}`, email: `${sub}@example.com`, email_verified: true, groups: [] }));

/** What the issue promises. */
const WITHIN_MS = 2_000;

/** Waits until every edge refuses the client and its stream is over; the milliseconds from `from`. */
async function refusedEverywhere(world: World, client: ConnectedClient, streams: readonly { ended: Promise<void> }[], from: number): Promise<number> {
  for (const edge of world.edges.keys()) await eventually(async () => ((await client.callStatus(edge)) === 401 ? true : undefined), WITHIN_MS * 2);
  await Promise.all(streams.map(({ ended }) => ended));
  return performance.now() - from;
}

/** Part of the story of connecting, in the same world: worlds cost seconds. */
export function accessEnds(world: () => World, company: Company): void {
  describe('has access that, when it ends, ends everywhere within two seconds', () => {
    let upstream: ConformanceUpstream;
    beforeAll(async () => {
      upstream = await startConformanceUpstream();
      await registered(world(), { name: ENDPOINT, url: upstream.url });
      await servedEverywhere(world(), ENDPOINT);
    }, 60_000);
    afterAll(() => upstream.close());

    async function ends(login: (typeof NAMES)[number], end: (client: ConnectedClient) => Promise<unknown>): Promise<ConnectedClient> {
      const client = await connectedClient(company, world(), login, ENDPOINT);
      const streams = [await client.listen(0)];
      const from = performance.now();
      await end(client);
      expect(await refusedEverywhere(world(), client, streams, from)).toBeLessThan(WITHIN_MS);
      // A client that is kept out is no client any more: 401.
      expect([400, 401]).toContain(await client.refresh());
      return client;
    }
    const personOf = async (login: string): Promise<string> => {
      const { items } = await admin(world()).ok('GET', '/people');
      return items.find(({ email }: any) => email === `${login}@example.com`).id;
    };

    it('when an administrator disables the person; who is enabled again must connect anew', async () => {
      const client = await ends('disabled', async () => admin(world()).ok('POST', `/people/${await personOf('disabled')}/disable`));
      await admin(world()).ok('POST', `/people/${await personOf('disabled')}/enable`);
      expect([await client.callStatus(), await client.refresh()]).toEqual([401, 400]);
      const again = await connectedClient(company, world(), 'disabled', ENDPOINT);
      expect(await again.callStatus()).toBe(200);
    });

    it('when the company’s provider logs the person out', async () => {
      await ends('logged-out', async () => {
        const answers = await company.provider.logoutEverywhere('logged-out');
        expect(answers).toMatchObject([{ status: 200 }]);
      });
    });

    it('when the grant is revoked', async () => {
      await ends('revoked', (client) => admin(world()).ok('POST', `/grants/${client.grantId}/revoke`));
    });

    it('when the client is kept out, for everybody who uses it', async () => {
      const client = await ends('denied', ({ clientId }) => admin(world()).ok('POST', `/clients/${encodeURIComponent(clientId)}/deny`));
      const { items } = await admin(world()).ok('GET', '/clients');
      expect(items.find(({ id }: any) => id === client.clientId)).toMatchObject({ status: 'denied', grants: 0 });
    });

    it('when the directory service of the company says so by SCIM', async () => {
      const account = await admin(world()).ok('POST', '/service-accounts', { name: 'directory sync', roles: ['member'] });
      const { token } = await freshToken(world(), { name: 'scim', scopes: ['scim'], callerId: account.id });
      const scim = (method: string, path: string, body?: object) =>
        fetch(`${world().edges[0]!}/scim/v2${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      await ends('scim', async () => {
        const made = await scim('POST', '/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'scim@example.com', emails: [{ value: 'scim@example.com', primary: true }], active: true });
        const { id } = (await made.json()) as { id: string };
        const patch = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'Replace', path: 'active', value: 'False' }] };
        expect((await scim('PATCH', `/Users/${id}`, patch)).status).toBe(200);
      });
    });
  });
}
