import { Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, SCHEMAS, USER_SCHEMA } from './schemas-table.js';

const CONFIG = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
const TYPE = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType';
const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema';

/** A list as every list is sent (RFC 7644 section 3.4.2). */
export function listResponse(resources: readonly JsonValue[], total: number, startIndex: number): JsonObject {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: [...resources],
  };
}

/** What this server can do (RFC 7643 section 5). */
export function serviceProviderConfig(base: string, mostResults: number): JsonObject {
  return {
    schemas: [CONFIG],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: mostResults },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    authenticationSchemes: [
      { type: 'oauthbearertoken', name: 'Personal access token', description: 'A token with the scope scim, as a bearer token.', specUri: 'https://www.rfc-editor.org/rfc/rfc6750', primary: true },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  };
}

/** The kinds of resource (RFC 7643 section 6). */
export function resourceTypes(base: string): JsonObject[] {
  const kind = (name: string, schema: string, extensions: JsonValue[]): JsonObject => ({
    schemas: [TYPE],
    id: name,
    name,
    endpoint: `/${name}s`,
    schema,
    schemaExtensions: extensions,
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  });
  return [kind('User', USER_SCHEMA, [{ schema: ENTERPRISE_SCHEMA, required: false }]), kind('Group', GROUP_SCHEMA, [])];
}

/** The schemas (RFC 7643 section 7). */
export function schemaResources(base: string): JsonObject[] {
  return SCHEMAS.map((schema) => ({
    schemas: [SCHEMA],
    ...(schema as unknown as JsonObject),
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${schema.id}` },
  }));
}

/** The one with this id, whatever its case; refuses with `not_found`. */
export function byId(resources: readonly JsonObject[], id: string): JsonObject {
  const found = resources.find((resource) => String(resource['id']).toLowerCase() === id.toLowerCase());
  if (found === undefined) throw new Refusal('not_found');
  return found;
}
