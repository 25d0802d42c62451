import { createHash, randomBytes } from 'node:crypto';
import type { Answer, Arrived, GatewayWorld, Routes } from './gateway-world.js';
import { startGatewayWorld } from './gateway-world.js';

/** What an authorization server of the world can be told to do wrong. */
export interface Misbehaviour {
  /** Says this of the resource in its metadata. */
  resource?: string;
  authorizationServers?: string[];
  metadata?: object;
  /** Refuses every refresh token. */
  over?: boolean;
  /** Gives tokens of this person: access tokens are JWTs then. */
  subject?: string;
  /** Is not there to take tokens back. */
  keepsTokens?: boolean;
}

interface Authorization {
  challenge: string;
  redirectUri: string;
  resource: string;
}

/** A gateway with an authorization server: it gives codes for what was asked, and tokens for those codes alone. */
export interface LoginWorld extends GatewayWorld {
  /** What the person ends at who agrees to what the address asks: the callback with its parameters. */
  agree(authorizeUrl: string, changed?: Record<string, string | undefined>): string;
  /** Refresh tokens that are good now, by the resource they are for. */
  readonly live: Map<string, string>;
  readonly revoked: string[];
  misbehave: Misbehaviour;
  /** Requests to the token endpoint. */
  tokenRequests(): URLSearchParams[];
}

const ME = { id: 'per_01990000-0000-7000-8000-000000000001', kind: 'person', name: 'Ada', email: null, roles: ['operator'], teams: [], capabilities: [], scopes: ['admin'], clientId: 'gatehouse-cli' };

const oauthError = (error: string): Answer => ({ status: 400, body: { error, error_description: `${error} for a reason` } });

/** Starts the world; `routes` are served beside it, the admin API to who brings one of its tokens. */
export async function startLoginWorld(routes: Routes = {}): Promise<LoginWorld> {
  const codes = new Map<string, Authorization>();
  const good = new Set<string>();
  const state = { live: new Map<string, string>(), revoked: [] as string[], misbehave: {} as Misbehaviour };
  let origin = '';

  const metadataOf = (resource: string) => (): Answer => ({
    body: { resource: state.misbehave.resource ?? `${origin}${resource}`, authorization_servers: state.misbehave.authorizationServers ?? [origin] },
  });

  function issue(resource: string): Answer {
    const nonce = randomBytes(6).toString('hex');
    const { subject: sub } = state.misbehave;
    const accessToken = sub === undefined ? `at-${nonce}` : `e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.${nonce}`;
    const refreshToken = `rt-${randomBytes(6).toString('hex')}`;
    good.add(accessToken);
    state.live.set(refreshToken, resource);
    return { body: { access_token: accessToken, refresh_token: refreshToken, token_type: 'Bearer', expires_in: 3_600 } };
  }

  function token({ form }: Arrived): Answer {
    const said = (name: string): string => form.get(name) ?? '';
    if (said('client_id') !== 'gatehouse-cli') return oauthError('invalid_client');
    const isGood = said('grant_type') === 'refresh_token' ? isLive(said('refresh_token'), said('resource')) : isOurs(said);
    return isGood ? issue(said('resource')) : oauthError('invalid_grant');
  }

  function isLive(refreshToken: string, resource: string): boolean {
    const isFor = state.live.get(refreshToken);
    state.live.delete(refreshToken);
    return isFor === resource && state.misbehave.over !== true;
  }

  function isOurs(said: (name: string) => string): boolean {
    const asked = codes.get(said('code'));
    codes.delete(said('code'));
    const challenge = createHash('sha256').update(said('code_verifier')).digest('base64url');
    return asked?.challenge === challenge && asked.redirectUri === said('redirect_uri') && asked.resource === said('resource');
  }

  function revoke({ form }: Arrived): Answer {
    if (state.misbehave.keepsTokens === true) return { status: 503 };
    const refreshToken = form.get('token') ?? '';
    state.live.delete(refreshToken);
    state.revoked.push(refreshToken);
    return { status: 200 };
  }

  const world = await startGatewayWorld({
    'GET /.well-known/oauth-protected-resource/api/v1': metadataOf('/api/v1'),
    'GET /.well-known/oauth-protected-resource/mcp/demo': metadataOf('/mcp/demo'),
    'GET /.well-known/oauth-authorization-server': () => ({
      body: {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        revocation_endpoint: `${origin}/revoke`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        ...state.misbehave.metadata,
      },
    }),
    'POST /token': token,
    'POST /revoke': revoke,
    'GET /api/v1/whoami': ({ headers }) => (good.has((headers.authorization ?? '').slice(7)) ? { body: ME } : { status: 401, body: { type: 'x', title: 'A valid access token is required.', status: 401, code: 'unauthenticated' } }),
    ...routes,
  });
  origin = world.url;

  return Object.assign(state, {
    ...world,
    agree(authorizeUrl: string, changed: Record<string, string | undefined> = {}): string {
      const asked = new URL(authorizeUrl).searchParams;
      const code = randomBytes(6).toString('hex');
      codes.set(code, { challenge: asked.get('code_challenge') ?? '', redirectUri: asked.get('redirect_uri') ?? '', resource: asked.get('resource') ?? '' });
      const callback = new URL(asked.get('redirect_uri') ?? '');
      const parameters = { code, state: asked.get('state') ?? '', iss: origin, ...changed };
      for (const [name, value] of Object.entries(parameters)) if (value !== undefined) callback.searchParams.set(name, value);
      return callback.href;
    },
    tokenRequests: () => world.arrived.filter(({ path }) => path === '/token').map(({ form }) => form),
  });
}
