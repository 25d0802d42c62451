export * as api from './api.js';
export * as accessContracts from './access.js';
export * as auditContracts from './audit.js';
export * as authContracts from './auth.js';
export * as catalogueContracts from './catalogue.js';
export * as clientContracts from './clients.js';
export * as directoryContracts from './directory.js';
export * as edgeContracts from './edge.js';
export * as identityContracts from './identities.js';
export * as policyContracts from './policy.js';
export * as presetContracts from './presets.js';
export * as serverContracts from './servers.js';
export * as signInContracts from './sign-in.js';
export * as upstreamContracts from './upstream.js';
export * as vaultContracts from './vault.js';
export { defineEvent, defineRequest, type EventContract, type RequestContract, type ServiceName } from './define.js';
export {
  actor,
  callerId,
  clientId,
  displayText,
  epochMs,
  grantId,
  identityId,
  issuerName,
  personId,
  policyName,
  roleName,
  serverId,
  serverName,
  serviceAccountId,
  teamName,
  tokenId,
  type Actor,
} from './names.js';
export { EVENTS, REQUESTS } from './registry.js';
export { SNAPSHOT_CHUNK_CHARS, snapshotReply, snapshotRequest, snapshotVersion, type SnapshotReply, type SnapshotVersion } from './snapshot.js';
