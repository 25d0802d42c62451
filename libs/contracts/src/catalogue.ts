import { z } from 'zod';
import { defineRequest } from './define.js';
import { actor, serverName } from './names.js';

/** Entries that one import may bring: together they fit one message. */
export const MOST_IMPORTED = 400;

/** A well-known remote server, ready to be registered by its name. */
export const catalogueEntry = z.strictObject({
  name: serverName,
  title: z.string().max(200),
  url: z.url({ protocol: /^https$/ }).max(2_048),
  /** What it wants: nothing, a header of your own, OAuth with a client that registers itself or with one registered beforehand; a registry may not say. */
  auth: z.enum(['none', 'headers', 'oauth', 'oauth-client', 'unknown']),
  /** Name of the preset that its host has, where entries are shown; nobody brings it. */
  preset: serverName.nullable().optional(),
  documentation: z.url({ protocol: /^https$/ }).max(2_048).nullable(),
  notes: z.string().max(500).nullable(),
  /** Where this is known from. */
  source: z.string().max(500),
});

/** An entry of the catalogue. */
export type CatalogueEntry = z.infer<typeof catalogueEntry>;

/** The catalogue by name, from after a name on. */
export const listCatalogue = defineRequest({
  subject: 'rpc.v1.policy.catalogue.list',
  owner: 'policy',
  request: z.strictObject({ after: serverName.nullable().default(null), limit: z.int().min(1).max(100).default(100) }),
  reply: z.strictObject({ items: z.array(catalogueEntry) }),
});

/** One entry. */
export const getCatalogueEntry = defineRequest({
  subject: 'rpc.v1.policy.catalogue.get',
  owner: 'policy',
  request: z.strictObject({ name: serverName }),
  reply: catalogueEntry,
  errors: ['not_found'],
});

/** Puts what a registry has in place of what an earlier import from it brought. Names that are taken are left out. */
export const importCatalogue = defineRequest({
  subject: 'rpc.v1.policy.catalogue.import',
  owner: 'policy',
  request: z.strictObject({ actor, source: catalogueEntry.shape.source, entries: z.array(catalogueEntry).max(MOST_IMPORTED) }),
  reply: z.strictObject({ imported: z.int().min(0) }),
});
