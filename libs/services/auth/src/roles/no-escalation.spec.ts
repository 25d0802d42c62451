import { accessContracts, authContracts, type Actor } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuthWorld } from '../auth-world.conformance.js';

const RUNS = 15;
const STEPS = 10;

let world: AuthWorld;
let accounts = 0;

beforeAll(async () => {
  world = await AuthWorld.start();
}, 60_000);
afterAll(() => world.close(), 30_000);

const anyRoles = fc.uniqueArray(fc.constantFrom('r0', 'r1', 'r2', 'member', 'operator', 'security', 'administrator'), { minLength: 1, maxLength: 2 });
const weakRoles = fc.uniqueArray(fc.constantFrom('r0', 'r1', 'r2', 'member'), { minLength: 1, maxLength: 2 });
const capabilities = fc.uniqueArray(fc.constantFrom(...authContracts.CAPABILITIES), { maxLength: 4 });
const roleName = fc.constantFrom('r0', 'r1', 'r2', 'r3');
const teamName = fc.constantFrom('t0', 't1', 't2', 't3');
const teams = fc.uniqueArray(teamName, { maxLength: 2 });
const groups = fc.uniqueArray(fc.constantFrom('g0', 'g1'), { maxLength: 2 });
const someone = fc.nat(9);

const universe = fc.record({
  roles: fc.array(capabilities, { minLength: 3, maxLength: 3 }),
  teams: fc.array(fc.record({ roles: anyRoles, groups }), { minLength: 3, maxLength: 3 }),
  people: fc.array(fc.record({ roles: weakRoles, teams, groups }), { minLength: 4, maxLength: 4 }),
});

const step = fc.oneof(
  fc.record({ do: fc.constant('create' as const), roles: anyRoles, teams }),
  fc.record({ do: fc.constant('account' as const), roles: anyRoles, teams }),
  fc.record({ do: fc.constant('update' as const), whom: someone, roles: anyRoles, teams }),
  fc.record({ do: fc.constantFrom('disable' as const, 'enable' as const, 'token' as const), whom: someone }),
  fc.record({ do: fc.constant('role' as const), name: roleName, capabilities }),
  fc.record({ do: fc.constant('team' as const), name: teamName, roles: anyRoles, groups }),
  fc.record({ do: fc.constantFrom('drop-role' as const, 'drop-team' as const), name: fc.oneof(roleName, teamName) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Universe = typeof universe extends fc.Arbitrary<infer T> ? T : never;

const mapped = (names: string[]): { provider: string; group: string }[] => names.map((group) => ({ provider: 'corp', group }));

async function populate({ roles, teams: given, people }: Universe): Promise<string[]> {
  for (const table of ['tokens', 'clients', 'team_groups', 'teams', 'roles']) await world.db.query(`DELETE FROM ${table}`);
  await world.db.query('DELETE FROM people WHERE NOT built_in');
  for (const [n, held] of roles.entries()) await world.role(`r${n}`, held);
  for (const [n, team] of given.entries()) await world.team(`t${n}`, { roles: team.roles, groups: mapped(team.groups) });
  const ids: string[] = [];
  for (const person of people) {
    ids.push((await world.person(person)).id);
    await world.groups(ids.at(-1)!, person.groups);
  }
  return ids;
}

/** What a step that names somebody is about. */
const whomOf = (asked: Step, ids: readonly string[]): string => ('whom' in asked ? ids[asked.whom % ids.length]! : '');

async function add(actor: Actor, asked: Extract<Step, { do: 'create' | 'account' }>, ids: string[]): Promise<void> {
  const { roles, teams: into } = asked;
  if (asked.do === 'create') return void ids.push((await world.person({ roles, teams: into, by: actor })).id);
  const account = { name: `agent ${(accounts += 1)}`, roles, teams: into, auth: { method: 'none' as const }, edgeKey: world.edge.publicKey };
  await world.gateway.request(accessContracts.createServiceAccount, { actor, ...account });
}

async function define(actor: Actor, asked: Extract<Step, { do: 'role' | 'team' }>): Promise<void> {
  if (asked.do === 'role') await world.role(asked.name, asked.capabilities, actor);
  else await world.team(asked.name, { roles: asked.roles, groups: mapped(asked.groups), by: actor });
}

const PERSON_STEPS = { disable: authContracts.disablePerson, enable: authContracts.enablePerson };
const DROPS = { 'drop-role': accessContracts.deleteRole, 'drop-team': accessContracts.deleteTeam };

async function take(actor: Actor, asked: Step, ids: string[]): Promise<void> {
  const personId = whomOf(asked, ids);
  if (asked.do === 'create' || asked.do === 'account') await add(actor, asked, ids);
  else if (asked.do === 'role' || asked.do === 'team') await define(actor, asked);
  else if (asked.do === 'update') await world.gateway.request(authContracts.updatePerson, { actor, personId, roles: asked.roles, teams: asked.teams });
  else if (asked.do === 'token') await world.token(personId, { scopes: ['admin'], by: actor });
  else if ('name' in asked) await world.gateway.request(DROPS[asked.do], { actor, name: asked.name });
  else await world.gateway.request(PERSON_STEPS[asked.do], { actor, personId });
}

type Held = ReadonlyMap<string, ReadonlySet<string>>;

async function everybodyHolds(): Promise<Held> {
  return new Map((await world.directory()).callers.map(({ id, capabilities: held }) => [id, new Set(held)]));
}

const notIn = (held: ReadonlySet<string>, other: ReadonlySet<string>): string[] => [...held].filter((capability) => !other.has(capability));

/** What anybody gained or lost. */
function differences(before: Held, after: Held): string[] {
  const of = (held: Held, id: string): ReadonlySet<string> => held.get(id) ?? new Set();
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((id) => [...notIn(of(before, id), of(after, id)), ...notIn(of(after, id), of(before, id))]);
}

const tally = { done: 0, refused: 0 };

/** Takes a step; true when it was allowed. */
async function allowed(actor: Actor, asked: Step, ids: string[]): Promise<boolean> {
  try {
    await take(actor, asked, ids);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(['capability_missing', 'conflict', 'not_found', 'bad_request']).toContain(error.code);
    return false;
  }
}

describe('whatever anybody does', () => {
  it('nobody gains or loses a capability that who did it lacked', async () => {
    const steps = fc.array(fc.record({ actor: someone, asked: step }), { minLength: 1, maxLength: STEPS });
    const property = fc.asyncProperty(universe, steps, async (start, sequence) => {
      const ids = await populate(start);
      for (const { actor, asked } of sequence) {
        const before = await everybodyHolds();
        const callerId = ids[actor % ids.length]!;
        const held = before.get(callerId) ?? new Set<string>();
        const done = await allowed({ callerId, tokenId: null }, asked, ids);
        tally[done ? 'done' : 'refused'] += 1;
        expect(differences(before, await everybodyHolds()).filter((capability) => !held.has(capability))).toEqual([]);
        if (done && asked.do === 'token') {
          expect(notIn(before.get(whomOf(asked, ids)) ?? new Set(), held)).toEqual([]);
        }
      }
    });
    await fc.assert(property, { numRuns: RUNS });
    expect(Math.min(tally.done, tally.refused)).toBeGreaterThan(RUNS / 2);
  }, 120_000);
});
