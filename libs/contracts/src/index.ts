export * as api from './api.js';
export * as auditContracts from './audit.js';
export * as authContracts from './auth.js';
export * as policyContracts from './policy.js';
export * as vaultContracts from './vault.js';
export { defineEvent, defineRequest, type EventContract, type RequestContract, type ServiceName } from './define.js';
export { actor, displayText, epochMs, identityId, personId, policyName, serverId, serverName, tokenId, type Actor } from './names.js';
export { EVENTS, REQUESTS } from './registry.js';
export { SNAPSHOT_CHUNK_CHARS, snapshotReply, snapshotRequest, snapshotVersion, type SnapshotReply, type SnapshotVersion } from './snapshot.js';
