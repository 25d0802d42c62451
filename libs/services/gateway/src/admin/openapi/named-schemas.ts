import { accessContracts, api, auditContracts, authContracts, catalogueContracts, clientContracts, identityContracts, policyContracts, serverContracts, presetContracts, signInContracts, upstreamContracts } from '@gatehouse/contracts';
import { z } from 'zod';

/** The schemas that have a name in the document; all others stand where they are used. */
export const NAMED_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Problem: api.problem,
  Server: serverContracts.server,
  UpstreamOauth: upstreamContracts.upstreamOauth,
  AuthStep: upstreamContracts.authStep,
  Preset: presetContracts.shownPreset,
  Identity: identityContracts.identity,
  ServerItem: serverContracts.observedItem,
  CatalogueEntry: catalogueContracts.catalogueEntry,
  ServerLogLine: api.logLine,
  Policy: policyContracts.policy,
  PolicyQuestion: policyContracts.policyQuestion,
  PolicyAnswer: policyContracts.policyAnswer,
  Person: authContracts.person,
  Token: authContracts.tokenSummary,
  Role: accessContracts.role,
  Team: accessContracts.team,
  GroupMapping: accessContracts.groupMapping,
  ServiceAccount: accessContracts.serviceAccount,
  ServiceAccountAuth: accessContracts.serviceAccountAuth,
  Client: clientContracts.oauthClient,
  ClientRegistration: clientContracts.registrationSettings,
  ClientRule: clientContracts.clientRule,
  Grant: clientContracts.grant,
  SigningKey: clientContracts.signingKey,
  IdentityProvider: signInContracts.identityProvider,
  TokenIssuer: signInContracts.tokenIssuer,
  AuditRecord: auditContracts.auditRecord,
};

/** The same as zod looks them up. */
export const NAMES = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(NAMED_SCHEMAS)) NAMES.add(schema, { id });
