import type { upstreamContracts } from '@gatehouse/contracts';
import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';

type TokenPaths = NonNullable<upstreamContracts.UpstreamOauth['tokenPaths']>;

const PLACES = { accessToken: 'access_token', refreshToken: 'refresh_token', expiresIn: 'expires_in', scope: 'scope' } as const;
const TYPES = ['bearer', 'dpop'];

/** A token answer as RFC 6749 section 5.1 spells it. What cannot be made sense of is left out rather than guessed. */
export function tokenMembers(answer: JsonObject, paths: TokenPaths = {}): JsonObject {
  const lifted = { ...answer, ...liftedMembers(answer, paths) };
  const type = typeof lifted['token_type'] === 'string' ? lifted['token_type'].toLowerCase() : '';
  return compact({
    access_token: text(lifted['access_token']),
    refresh_token: text(lifted['refresh_token']),
    // Gatehouse asks for no identity here, and a library would fail on a broken one.
    id_token: undefined,
    issued_token_type: text(lifted['issued_token_type']),
    token_type: TYPES.includes(type) ? type : 'bearer',
    expires_in: seconds(lifted['expires_in']),
    scope: scopeText(lifted['scope']),
  });
}

function liftedMembers(answer: JsonObject, paths: TokenPaths): JsonObject {
  const found = Object.entries(PLACES).map(([setting, member]) => {
    const path = paths[setting as keyof typeof PLACES];
    return [member, path === undefined ? undefined : valueAt(answer, path)] as const;
  });
  return compact(Object.fromEntries(found));
}

function valueAt(answer: JsonObject, path: string): JsonValue | undefined {
  let at: JsonValue | undefined = answer;
  for (const name of path.split('.')) at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at === null || at === '' ? undefined : at;
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

// No end known means that the server's no tells it; a life of nothing is as good as not said.
function seconds(value: JsonValue | undefined): number | undefined {
  const given = typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof given === 'number' && Number.isFinite(given) && given > 0 ? Math.floor(given) : undefined;
}

function scopeText(value: JsonValue | undefined): string | undefined {
  const names = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[\s,]+/) : [];
  const scopes = names.filter((name): name is string => typeof name === 'string' && name !== '');
  return scopes.length === 0 ? undefined : scopes.join(' ');
}

function compact(members: Record<string, JsonValue | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined));
}
