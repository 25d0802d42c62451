import { isDeepStrictEqual } from 'node:util';
import type { serverContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import type { ServerSettings } from './server-settings.js';

/** What is to change; what is left out stays. */
export type ServerPatch = z.output<typeof serverContracts.patchServer.request>['change'];

/** Settings after a change, and what follows from it. */
export interface PatchedSettings {
  settings: ServerSettings;
  /** Members that are not as they were. */
  changed: readonly (keyof ServerSettings)[];
  /** Another origin: what was found out and seen is about another server. */
  isElsewhere: boolean;
  /** How edges are to look: anew is with finding out how to sign in. */
  probe: 'none' | 'again' | 'anew';
}

/** Another way in. */
const ANEW: ReadonlySet<string> = new Set<keyof ServerSettings>(['auth', 'oauth', 'identityMode', 'transport']);
/** Nothing that a probe sends. */
const UNSEEN: ReadonlySet<string> = new Set<keyof ServerSettings>(['signCalls', 'forwardHeaders']);

/** The settings with the change in them; changes nothing itself. */
export function patchedSettings(before: ServerSettings, patch: ServerPatch): PatchedSettings {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<ServerSettings>;
  const settings = { ...before, ...given };
  const changed = (Object.keys(given) as (keyof ServerSettings)[]).filter((member) => !isDeepStrictEqual(before[member], settings[member]));
  const isElsewhere = changed.includes('url') && new URL(settings.url).origin !== new URL(before.url).origin;
  return { settings, changed, isElsewhere, probe: probeAfter(changed, isElsewhere) };
}

function probeAfter(changed: readonly string[], isElsewhere: boolean): PatchedSettings['probe'] {
  if (isElsewhere || changed.some((member) => ANEW.has(member))) return 'anew';
  return changed.every((member) => UNSEEN.has(member)) ? 'none' : 'again';
}
