import { z } from 'zod';
import { defineRequest } from './define.js';
import { serverName } from './names.js';

/** A well-known remote server, ready to be registered by its name. */
export const catalogueEntry = z.strictObject({
  name: serverName,
  title: z.string().max(200),
  url: z.url({ protocol: /^https$/ }).max(2_048),
  /** What it wants: nothing, a header of your own, OAuth with a client that registers itself, or OAuth with one registered beforehand. */
  auth: z.enum(['none', 'headers', 'oauth', 'oauth-client']),
  documentation: z.url({ protocol: /^https$/ }).max(2_048),
  notes: z.string().max(500).nullable(),
  /** Where this is known from. */
  source: z.string().max(500),
});

/** An entry of the catalogue. */
export type CatalogueEntry = z.infer<typeof catalogueEntry>;

/** The whole catalogue, by name. */
export const listCatalogue = defineRequest({
  subject: 'rpc.v1.policy.catalogue.list',
  owner: 'policy',
  request: z.strictObject({}),
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
