import * as access from './access.js';
import * as audit from './audit.js';
import * as auth from './auth.js';
import * as catalogue from './catalogue.js';
import * as clients from './clients.js';
import type { EventContract, RequestContract } from './define.js';
import * as directory from './directory.js';
import * as edge from './edge.js';
import * as identities from './identities.js';
import * as policy from './policy.js';
import * as presets from './presets.js';
import * as servers from './servers.js';
import * as signIn from './sign-in.js';
import * as vault from './vault.js';

const all: unknown[] = [access, audit, auth, catalogue, clients, directory, edge, identities, policy, presets, servers, signIn, vault].flatMap((owner) => Object.values(owner));

const isContract = (value: unknown, member: string): boolean =>
  typeof value === 'object' && value !== null && 'subject' in value && member in value;

/** Every request there is, by declaration. */
export const REQUESTS = all.filter((value): value is RequestContract => isContract(value, 'callers'));

/** Every event there is, by declaration. */
export const EVENTS = all.filter((value): value is EventContract => isContract(value, 'consumers'));
