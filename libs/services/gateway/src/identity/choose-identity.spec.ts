import { directoryContracts, type policyContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';
import { Neighbours } from '../neighbours.conformance.js';
import { DirectoryState } from '../snapshot/directory-state.js';
import { chooseIdentity, explainIdentity } from './choose-identity.js';
import { IdentityIndex, type Choice, type DirectoryIdentity } from './identity-index.js';

const SERVER = newId('server');
const ADA = { id: newId('person'), kind: 'person' } as const;
const BEN = { id: newId('person'), kind: 'person' } as const;
const ROBOT = { id: newId('service_account'), kind: 'service_account' } as const;
const OLDER = 'idn_01900000-0000-7000-8000-000000000001';
const NEWER = 'idn_01a00000-0000-7000-8000-000000000001';

const identity = (owner: string, changes: Partial<DirectoryIdentity> = {}): DirectoryIdentity => ({
  ...{ id: newId('identity'), serverId: SERVER, owner, name: 'default', method: 'oauth', status: 'active', preferred: false },
  ...changes,
});
const own = (changes: Partial<DirectoryIdentity> = {}): DirectoryIdentity => identity(ADA.id, changes);
const shared = (changes: Partial<DirectoryIdentity> = {}): DirectoryIdentity => identity('global', changes);
const choose = (mode: policyContracts.SnapshotServer['identityMode'], identities: DirectoryIdentity[], caller: typeof ADA | typeof ROBOT = ADA) =>
  chooseIdentity(new IdentityIndex(identities), { id: SERVER, identityMode: mode }, caller);

/** What may never be, by name. */
const NEVER: Readonly<Record<string, (choice: Choice, mode: string, ownHere: DirectoryIdentity[]) => boolean>> = {
  'another server’s': ({ identity: chosen }) => chosen !== null && chosen.serverId !== SERVER,
  'another person’s': ({ identity: chosen }) => chosen !== null && ![ADA.id, 'global'].includes(chosen.owner),
  'a shared one as one’s own': ({ outcome, identity: chosen }) => outcome === 'private' && chosen?.owner !== ADA.id,
  'one’s own as a shared one': ({ outcome, identity: chosen }) => outcome === 'global' && chosen?.owner !== 'global',
  'a dead one': ({ outcome, identity: chosen }) => ['private', 'global'].includes(outcome) && !['active', 'retrying'].includes(chosen!.status),
  'a shared one in place of one’s own': ({ outcome }, mode, ownHere) => outcome === 'global' && mode !== 'global' && ownHere.length > 0,
  'a shared one where one’s own is asked for': ({ outcome }, mode) => outcome === 'global' && mode === 'private-required',
  'one where none is wanted': ({ identity: chosen }, mode) => mode === 'none' && chosen !== null,
};

function wrongIn(mode: string, directory: DirectoryIdentity[], choice: Choice): string[] {
  const ownHere = directory.filter(({ owner, serverId }) => owner === ADA.id && serverId === SERVER);
  return Object.entries(NEVER).flatMap(([name, isSo]) => (isSo(choice, mode, ownHere) ? [name] : []));
}

describe('which identity a call carries', () => {
  it.each([
    ['no credential is wanted', 'none', [own(), shared()], 'none', 'mode_none', undefined],
    ['one of one’s own', 'private-required', [own({ name: 'a' })], 'private', 'own_only', 'a'],
    ['the preferred one', 'private-required', [own({ name: 'a', preferred: true }), own({ name: 'b' })], 'private', 'own_preferred', 'a'],
    ['the newest one', 'private-required', [own({ id: NEWER, name: 'a' }), own({ id: OLDER, name: 'b' })], 'private', 'own_newest', 'a'],
    ['one that is being retried', 'private-required', [own({ name: 'a', status: 'retrying' })], 'private', 'own_only', 'a'],
    ['the usable of two', 'private-required', [own({ name: 'a', status: 'needs_reauth', preferred: true }), own({ name: 'b' })], 'private', 'own_only', 'b'],
    ['only a shared one, not wanted', 'private-required', [shared()], 'missing', 'nothing_connected', undefined],
    ['a dead one', 'private-required', [own({ name: 'a', status: 'needs_reauth' })], 'dead', 'not_accepted', 'a'],
    ['a revoked one', 'private-required', [own({ name: 'a', status: 'revoked' })], 'dead', 'not_accepted', 'a'],
    ['the newest of the dead', 'private-required', [own({ id: OLDER, name: 'a', status: 'revoked' }), own({ id: NEWER, name: 'b', status: 'revoked' })], 'dead', 'not_accepted', 'b'],
    ['nothing', 'private-required', [], 'missing', 'nothing_connected', undefined],
    ['one’s own before the shared', 'private-or-global', [shared({ name: 's', preferred: true }), own({ name: 'a' })], 'private', 'own_only', 'a'],
    ['the shared one', 'private-or-global', [shared({ name: 's' })], 'global', 'shared_fallback', 's'],
    ['the preferred shared one', 'private-or-global', [shared({ name: 's' }), shared({ name: 't', preferred: true })], 'global', 'shared_fallback', 't'],
    ['a dead one and a shared one', 'private-or-global', [own({ name: 'a', status: 'needs_reauth' }), shared({ name: 's' })], 'dead', 'not_accepted', 'a'],
    ['a dead shared one', 'private-or-global', [shared({ name: 's', status: 'revoked' })], 'dead', 'not_accepted', 's'],
    ['nothing at all', 'private-or-global', [], 'missing', 'nothing_connected', undefined],
    ['the shared one alone', 'global', [shared({ name: 's' })], 'global', 'shared_only', 's'],
    ['the shared one before one’s own', 'global', [own({ preferred: true }), shared({ name: 's' })], 'global', 'shared_only', 's'],
    ['no shared one', 'global', [own()], 'missing', 'nothing_connected', undefined],
    ['a dead shared one alone', 'global', [shared({ name: 's', status: 'needs_reauth' })], 'dead', 'not_accepted', 's'],
  ] as const)('%s (%s)', (_case, mode, identities, outcome, reason, name) => {
    const choice = choose(mode, [...identities]);
    expect([choice.outcome, choice.reason, choice.identity?.name]).toEqual([outcome, reason, name]);
    const visibility = name === undefined ? 'none' : choice.identity?.owner === 'global' ? 'global' : 'private';
    expect(choice.facts).toEqual({ visibility, id: choice.identity?.id ?? null, ...(name === undefined ? {} : { name }), reason });
  });

  it.each([
    ['private-required', [shared()], 'missing'],
    ['private-or-global', [shared()], 'global'],
    ['global', [shared()], 'global'],
    // A row that cannot be, made by hand: still nobody's own.
    ['private-required', [identity(ROBOT.id)], 'missing'],
  ] as const)('a service account has the shared ones only (%s)', (mode, identities, outcome) => {
    expect(choose(mode, [...identities], ROBOT).outcome).toBe(outcome);
  });

  it('never is another person’s, another server’s or a dead one, whatever the directory holds', () => {
    const pick = <T>(...of: readonly T[]): T => of[Math.floor(Math.random() * of.length)]!;
    const made = (): DirectoryIdentity =>
      identity(pick(ADA.id, BEN.id, 'global'), {
        serverId: pick(SERVER, SERVER, newId('server')),
        status: pick('active', 'retrying', 'needs_reauth', 'revoked'),
        preferred: pick(true, false),
      });
    for (let round = 0; round < 2_000; round++) {
      const directory = Array.from({ length: pick(0, 1, 2, 3, 5, 8) }, made);
      const mode = pick('private-required', 'private-or-global', 'global', 'none');
      const choice = choose(mode, directory);
      expect({ mode, directory, choice, wrong: wrongIn(mode, directory, choice) }).toEqual({ mode, directory, choice, wrong: [] });
    }
  });

  it('is judged once per directory: the same object for every call', () => {
    const index = new IdentityIndex([own(), shared()]);
    const ask = () => chooseIdentity(index, { id: SERVER, identityMode: 'private-or-global' }, ADA);
    expect(ask()).toBe(ask());
    expect(Object.isFrozen(ask().facts)).toBe(true);
  });

  it('is found in a directory of a hundred thousand without looking at them', () => {
    const many = Array.from({ length: 100_000 }, () => identity(newId('person')));
    const index = new IdentityIndex([...many, own({ name: 'a' })]);
    const started = performance.now();
    for (let time = 0; time < 10_000; time++) chooseIdentity(index, { id: SERVER, identityMode: 'private-required' }, ADA);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('is explained by the caller’s id', () => {
    const neighbours = new Neighbours();
    const ada = neighbours.addCaller('ada', ADA.id);
    const state = new DirectoryState(directoryContracts.directory.parse(JSON.parse(neighbours.directoryText())));
    expect(explainIdentity(state, { id: SERVER, identityMode: 'private-required' }, ada)?.reason).toBe('nothing_connected');
    expect(explainIdentity(state, { id: SERVER, identityMode: 'private-required' }, BEN.id)).toBeUndefined();
  });
});
