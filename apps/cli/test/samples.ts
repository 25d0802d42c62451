import type { auditContracts, serverContracts } from '@gatehouse/contracts';

const uuid = (n: number): string => `01990000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const NOTHING_FOUND = { transport: null, steps: [], verdict: null, advice: null };

/** A server nothing is known of yet, with what the test wants different. */
export function sampleServer(over: Partial<serverContracts.Server> = {}): serverContracts.Server {
  return {
    id: `srv_${uuid(1)}`,
    name: 'demo',
    url: 'http://demo.test/mcp',
    transport: 'streamable-http',
    auth: 'auto',
    oauth: {},
    preset: null,
    signCalls: false,
    forwardHeaders: [],
    debugUntil: null,
    stateless: false,
    allowPrivateNetwork: false,
    caCertificates: [],
    state: 'running',
    identityMode: 'none',
    headers: [],
    secretHeaders: [],
    health: { status: 'unknown', failure: null, detail: null, checkedAt: null, protocolVersion: null, serverInfo: null, ...NOTHING_FOUND },
    tools: 0,
    resources: 0,
    prompts: 0,
    createdAt: 1_750_000_000_000,
    revision: 1,
    ...over,
  };
}

/** The same after a good probe. */
export function healthyServer(over: Partial<serverContracts.Server> = {}): serverContracts.Server {
  return sampleServer({
    health: { status: 'healthy', failure: null, detail: null, checkedAt: 1_750_000_001_000, protocolVersion: '2025-11-25', serverInfo: { name: 'demo-server', version: '1.0.0' }, ...NOTHING_FOUND },
    tools: 2,
    ...over,
  });
}

/** A tool as a probe saw it. */
export function sampleTool(name: string, description: string): serverContracts.ObservedItem {
  return { kind: 'tool', name, title: null, description, fingerprint: 'f' };
}

/** A person with roles and teams. */
export function samplePerson(over: object = {}): object {
  return {
    id: `per_${uuid(2)}`,
    name: 'Ada',
    email: 'ada@example.com',
    roles: ['member'],
    teams: ['analysis'],
    effective: { roles: ['member', 'operator'], teams: ['analysis', 'on-call'], capabilities: ['servers.read'] },
    status: 'active',
    source: 'local',
    createdAt: 1_750_000_000_000,
    lastSignInAt: null,
    ...over,
  };
}

/** A service account with a secret. */
export function sampleServiceAccount(over: object = {}): object {
  return { id: `svc_${uuid(5)}`, name: 'nightly', roles: ['member'], teams: [], auth: 'secret', secretAt: 1_750_000_000_000, status: 'active', createdAt: 1_750_000_000_000, ...over };
}

/** A client that described itself by a document. */
export function sampleClient(over: object = {}): object {
  return {
    id: 'https://client.example.com/oauth/client.json',
    kind: 'metadata-document',
    name: 'Editor',
    host: 'client.example.com',
    redirectUris: ['http://127.0.0.1/callback'],
    authMethod: 'none',
    grantTypes: ['authorization_code'],
    status: 'waiting',
    requireDpop: false,
    createdAt: 1_750_000_000_000,
    lastUsedAt: null,
    grants: 0,
    ...over,
  };
}

/** What the editor may do on behalf of Ada. */
export function sampleGrant(over: object = {}): object {
  return {
    id: 'grant1',
    callerId: `per_${uuid(2)}`,
    callerName: 'Ada',
    clientId: 'https://client.example.com/oauth/client.json',
    clientName: 'Editor',
    resources: ['https://gatehouse.test/mcp/demo'],
    scopes: ['mcp:access'],
    createdAt: 1_750_000_000_000,
    lastUsedAt: null,
    expiresAt: 1_752_000_000_000,
    ...over,
  };
}

/** A provider that was set with little more than its issuer. */
export function sampleIdentityProvider(over: object = {}): object {
  return {
    name: 'okta',
    displayName: 'Okta',
    issuer: 'https://okta.test',
    clientId: '0oa1',
    scopes: ['openid', 'profile', 'email'],
    claims: { name: 'name', email: 'email', groups: 'roles' },
    provisioning: 'invited',
    linkByEmail: true,
    administratorRule: null,
    identityAssertions: false,
    keepTokens: false,
    allowPrivateNetwork: false,
    enabled: true,
    hasSecret: true,
    managedBy: 'api',
    createdAt: 1_750_000_000_000,
    ...over,
  };
}

/** A trusted issuer of access tokens. */
export function sampleTokenIssuer(over: object = {}): object {
  return {
    name: 'entra',
    issuer: 'https://login.test/tenant',
    jwksUri: 'https://login.test/keys',
    audience: 'api://gatehouse',
    claims: { name: 'name', email: 'email', groups: 'groups' },
    provisioning: 'invited',
    allowPrivateNetwork: false,
    keys: 2,
    keysFetchedAt: 1_750_000_000_000,
    createdAt: 1_750_000_000_000,
    ...over,
  };
}

/** A token without its secret. */
export function sampleToken(over: object = {}): object {
  return { id: `tok_${uuid(3)}`, callerId: `per_${uuid(2)}`, name: 'laptop', scopes: ['mcp:access'], createdAt: 1_750_000_000_000, expiresAt: null, revokedAt: null, ...over };
}

/** A policy as the admin API shows it. */
export function samplePolicy(over: object = {}): object {
  return { name: 'everyone', version: 1, text: 'permit(principal, action, resource);', updatedAt: 1_750_000_000_000, updatedBy: null, ...over };
}

/** A record of a permitted call that ended well. */
export function sampleRecord(over: Partial<auditContracts.AuditRecord> = {}): auditContracts.AuditRecord {
  return {
    id: `cal_${uuid(4)}`,
    seq: 1,
    at: 1_750_000_000_000,
    edge: 'edge-1',
    facts: {
      kind: 'mcp',
      caller: { kind: 'person', id: `per_${uuid(2)}`, name: 'Ada', tokenId: `tok_${uuid(3)}`, address: '127.0.0.1' },
      client: { name: 'inspector', version: '1', userAgent: null },
      eras: { client: '2025-11-25', upstream: '2025-11-25' },
      endpoint: 'demo',
      server: { id: `srv_${uuid(1)}`, name: 'demo' },
      method: 'tools/call',
      target: 'echo',
      definition: null,
      argumentKeys: ['text'],
      argumentsDigest: null,
      decision: { effect: 'allow', reason: 'permitted', policies: ['everyone'], snapshot: '1' },
      identity: { visibility: 'none', id: null },
      sessionDigest: null,
      traceId: null,
      bytesIn: 100,
    },
    outcome: {
      status: 'ok',
      code: null,
      httpStatus: 200,
      upstreamStatus: 200,
      resultDigest: null,
      bytesOut: 200,
      events: 0,
      steps: { authenticate: 0.1, forward: 3.25, total: 4.5 },
      faultId: null,
    },
    ...over,
  };
}
