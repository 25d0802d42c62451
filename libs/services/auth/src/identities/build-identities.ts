import type { Bus } from '@gatehouse/bus';
import type { Clock } from '@gatehouse/kernel';
import type { Database, Outbox } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { HandOverTurns } from '../hand-over/hand-over-turns.js';
import type { SignInSubjects } from '../hand-over/sign-in-subjects.js';
import type { UpstreamsArea } from '../upstreams/build-upstreams.js';
import { Assertions, type AssertionsParts } from './assertions.js';
import { GrantedAccess } from './granted-access.js';
import { Identities } from './identities.js';
import { IdentityEvents } from './identity-events.js';
import { IdentityLeases } from './identity-leases.js';
import { IdentitySweep } from './identity-sweep.js';
import { IdentityVault } from './identity-vault.js';
import { ObtainedIdentities } from './obtained-identities.js';
import { Refreshes } from './refreshes.js';
import { Shredder } from './shredder.js';

/** What the area is built from. */
export interface IdentitiesOptions {
  db: Database;
  changes: DirectoryChanges;
  outbox: Outbox;
  bus: Bus;
  log: Logger;
  clock: Clock;
  /** What speaks to authorization servers. */
  upstreams: UpstreamsArea;
  /** What people's identity providers say of them. */
  signIns: SignInSubjects;
  /** Keys that assertions are signed with. */
  keys: AssertionsParts['keys'];
  /** Public origin of Gatehouse. */
  origin: string;
}

/** The parts of the area that others use. */
export interface IdentitiesArea {
  identities: Identities;
  refreshes: Refreshes;
  obtained: ObtainedIdentities;
  identitySweep: IdentitySweep;
}

/** Builds identities, their refreshes and their sweep. */
export function buildIdentities({ outbox, bus, upstreams, keys, origin, signIns, ...given }: IdentitiesOptions): IdentitiesArea {
  const { db, log, clock } = given;
  const granted = new GrantedAccess({ upstreams, signIns, assertions: new Assertions({ db, keys, clock, origin }) });
  const { tokens, findUpstream, forgotten } = upstreams;
  const parts = { ...given, tokens, findUpstream, forgotten, granted, vault: new IdentityVault(bus), leases: new IdentityLeases(db), events: new IdentityEvents(outbox, clock) };
  const shredder = new Shredder(parts);
  const refreshes = new Refreshes(parts);
  const identities = new Identities({ ...parts, shred: (id) => shredder.shred(id) });
  const obtained = new ObtainedIdentities({ db, identities, granted, findUpstream, turns: new HandOverTurns(db, clock), origin, log });
  return { identities, refreshes, obtained, identitySweep: new IdentitySweep({ db, refreshes, shredder, log, clock }) };
}
