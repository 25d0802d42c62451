import { z } from 'zod';
import { defineRequest } from './define.js';
import { actor, serverName } from './names.js';
import { preset } from './upstream.js';

/** A preset as it is shown: `edited` ones were written by an administrator. */
export const shownPreset = z.strictObject({ ...preset.shape, source: z.enum(['built-in', 'edited']) });

/** All presets, by name. */
export const listPresets = defineRequest({
  subject: 'rpc.v1.policy.preset.list',
  owner: 'policy',
  request: z.strictObject({}),
  reply: z.strictObject({ items: z.array(shownPreset) }),
});

/** Writes a preset, over a built-in one by that name too. Its settings apply from the next sign-in on. */
export const putPreset = defineRequest({
  subject: 'rpc.v1.policy.preset.put',
  owner: 'policy',
  request: z.strictObject({ actor, preset }),
  reply: shownPreset,
  errors: ['bad_params', 'conflict', 'header_refused'],
});

/** Forgets what was written: a built-in preset is as it was shipped again. */
export const deletePreset = defineRequest({
  subject: 'rpc.v1.policy.preset.delete',
  owner: 'policy',
  request: z.strictObject({ actor, name: serverName }),
  reply: z.strictObject({ name: serverName }),
  errors: ['not_found'],
});
