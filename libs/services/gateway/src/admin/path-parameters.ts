import { clientId, grantId, identityContracts, identityId, issuerName, personId, policyName, roleName, serverName, serviceAccountId, teamName, tokenId } from '@gatehouse/contracts';
import type { ErrorCode } from '@gatehouse/kernel';
import type { z } from 'zod';

/** A path parameter: what cannot be one is nothing that exists, not a malformed request. */
export interface PathParameter {
  readonly schema: z.ZodType<string>;
  readonly missing: ErrorCode;
  readonly description: string;
  /** One that fits, for the document and for whoever tries the routes one by one. */
  readonly example: string;
}

const UUID = '019a0000-0000-7000-8000-000000000000';

const parameter = (schema: z.ZodType<string>, description: string, example: string, missing: ErrorCode = 'not_found'): PathParameter => ({
  ...{ schema, description, example, missing },
});

/** The path parameters of the admin API. */
export const PATH = {
  server: parameter(serverName, 'Name of the server', 'a-server', 'unknown_server'),
  policy: parameter(policyName, 'Name of the policy', 'a-policy'),
  person: parameter(personId, 'Id of the person', `per_${UUID}`),
  role: parameter(roleName, 'Name of the role', 'a-role'),
  team: parameter(teamName, 'Name of the team', 'a-team'),
  serviceAccount: parameter(serviceAccountId, 'Id of the service account', `svc_${UUID}`),
  token: parameter(tokenId, 'Id of the token', `tok_${UUID}`),
  client: parameter(clientId, 'Id of the client, escaped: it may be the address of its metadata document', 'https://client.example/metadata'),
  grant: parameter(grantId, 'Id of the grant', 'a-grant'),
  identity: parameter(identityId, 'Id of the identity', `idn_${UUID}`),
  connection: parameter(identityContracts.connection.shape.id, 'Id of the connection that was started', 'a-connection-started'),
  preset: parameter(serverName, 'Name of the preset', 'a-name'),
  issuer: parameter(issuerName, 'Name of the provider or the issuer', 'an-issuer'),
} as const;
