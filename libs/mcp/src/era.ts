import { isJsonObject, Refusal } from '@gatehouse/kernel';
import type { McpMessage } from './parse-message.js';

/** Revisions of the session era that are spoken here, newest first. */
export const SUPPORTED_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26'] as const;

/** A revision of `SUPPORTED_VERSIONS`. */
export type ProtocolVersion = (typeof SUPPORTED_VERSIONS)[number];

/** `session`: opened by `initialize` (up to 2025-11-25). `stateless`: every request speaks for itself (2026-07-28 on). */
export type Era = 'session' | 'stateless';

const FIRST_STATELESS = '2026-07-28';
const REVISION = /^\d{4}-\d{2}-\d{2}$/;
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

/**
 * Which era a client's message speaks: a version claim in `params._meta` or a stateless version in the
 * `MCP-Protocol-Version` header makes it stateless (2026-07-28 basic/versioning), a malformed claim too:
 * it is an error to answer, never a reason to fall back.
 */
export function eraOf(message: McpMessage, headerVersion: string | undefined): Era {
  return claimOf(message) !== undefined || isStateless(headerVersion) ? 'stateless' : 'session';
}

/**
 * Refuses `unsupported_protocol_version` {supported, requested} for a message of the stateless era, in
 * the shape that tells a client of both eras to fall back to `initialize`.
 */
export function requireSessionEra(message: McpMessage, headerVersion: string | undefined): void {
  if (eraOf(message, headerVersion) === 'session') return;
  const claim = claimOf(message);
  throw unsupported(typeof claim === 'string' ? claim : (headerVersion ?? FIRST_STATELESS));
}

/**
 * The version a request is read under. `negotiated` is the session's, undefined before it is known.
 * Without header: the session's version, else 2025-03-26, which had no header. Refuses
 * `unsupported_protocol_version` for a header that names any other version; the session's wins over a
 * header that names another supported one, since clients are known to pin an old header.
 */
export function versionOfRequest(headerVersion: string | undefined, negotiated?: ProtocolVersion): ProtocolVersion {
  if (headerVersion !== undefined && !isSupported(headerVersion)) throw unsupported(headerVersion);
  return negotiated ?? headerVersion ?? '2025-03-26';
}

/** The version to answer to `initialize`: the requested one if spoken here, else the newest. */
export function negotiateVersion(requested: string): ProtocolVersion {
  return isSupported(requested) ? requested : SUPPORTED_VERSIONS[0];
}

/** True for a member of `SUPPORTED_VERSIONS`. */
export function isSupported(version: string): version is ProtocolVersion {
  return (SUPPORTED_VERSIONS as readonly string[]).includes(version);
}

function claimOf(message: McpMessage): unknown {
  const meta = message.kind === 'response' ? undefined : message.params?.['_meta'];
  return isJsonObject(meta) ? meta[VERSION_KEY] : undefined;
}

function isStateless(version: string | undefined): boolean {
  return version !== undefined && REVISION.test(version) && version >= FIRST_STATELESS;
}

function unsupported(requested: string): Refusal {
  return new Refusal('unsupported_protocol_version', { supported: [...SUPPORTED_VERSIONS], requested: requested.slice(0, 64) });
}
