import { identityContracts, vaultContracts as vault, type Actor, type directoryContracts, type upstreamContracts } from '@gatehouse/contracts';
import { newId, sealTo, Secret } from '@gatehouse/kernel';
import { Outbox } from '@gatehouse/persistence';
import { createLogger } from '@gatehouse/telemetry';
import { pkcePair, startOauthUpstream, type OauthUpstream, type OauthUpstreamOptions } from '@gatehouse/testing';
import type { z } from 'zod';
import { AuthStage } from '../auth-stage.conformance.js';
import { DirectoryChanges } from '../directory/directory-changes.js';
import type { HeldCredential } from '../neighbours.conformance.js';
import { ConnectedIdentities } from './connected-identities.js';
import { IdentityEvents } from './identity-events.js';
import { IdentityLeases } from './identity-leases.js';
import { findIdentity, type IdentityRow } from './identity-rows.js';
import { IdentityVault } from './identity-vault.js';
import type { RefreshAnswer, RefreshQuestion } from './refresh-outcome.js';

type Owner = vault.CredentialOwner;
type Upstream = upstreamContracts.UpstreamServer;

/** Where the accounts of these tests are sent back to. */
export const CALLBACK = 'http://127.0.0.1:8080/oauth/callback';
const CLIENT = 'gatehouse-test';

/** Replicas of auth on one database, protected servers beside them, and accounts that are connected there. */
export class IdentitiesStage {
  readonly events: z.output<typeof identityContracts.identityChanged.payload>[] = [];
  private readonly zoos: OauthUpstream[] = [];
  private readonly outbox: Outbox;
  private readonly connecting: ConnectedIdentities;

  private constructor(readonly auth: AuthStage) {
    const { db, clock, neighbours } = auth;
    const bus = neighbours.bus('auth');
    this.outbox = new Outbox(db, bus.events.publishRaw.bind(bus.events));
    const log = createLogger({ service: 'auth', level: 'debug', destination: { write: (line: string) => void auth.logLines.push(line) } });
    const changes = new DirectoryChanges(db, this.outbox, () => undefined);
    this.connecting = new ConnectedIdentities({ db, changes, log, clock, vault: new IdentityVault(bus), leases: new IdentityLeases(db), events: new IdentityEvents(this.outbox, clock) });
  }

  /** Starts so many replicas. */
  static async start(replicas: number): Promise<IdentitiesStage> {
    const auth = await AuthStage.start();
    for (let more = 1; more < replicas; more++) await auth.addReplica();
    const stage = new IdentitiesStage(auth);
    await auth.neighbours.bus('policy').events.follow(identityContracts.identityChanged, (event) => void stage.events.push(event));
    return stage;
  }

  /** A server of the register that wants OAuth, and its authorization server. */
  async oauthServer(behaviour: OauthUpstreamOptions = {}, oauth: Upstream['oauth'] = {}): Promise<{ zoo: OauthUpstream; upstream: Upstream }> {
    const zoo = await startOauthUpstream({ clients: [{ clientId: CLIENT }], prm: 'path', ...behaviour });
    this.zoos.push(zoo);
    return { zoo, upstream: this.register({ url: zoo.url, auth: 'oauth', identityMode: 'private-or-global', oauth: { clientId: CLIENT, clientAuthMethod: 'none', ...oauth } }) };
  }

  /** Puts a server into the register. */
  register(members: Partial<Upstream>): Upstream {
    const id = newId('server');
    const name = `s-${id.slice(-12)}`;
    const base = { url: 'http://127.0.0.1:9/mcp', allowPrivateNetwork: true, caCertificate: null, state: 'running', auth: 'headers', identityMode: 'global', secretHeaders: [], oauth: {}, preset: null } as const;
    const upstream: Upstream = { ...base, secretHeaders: [], id, name, ...members };
    this.auth.neighbours.upstreams.set(id, upstream);
    return upstream;
  }

  /** Signs in at a server's authorization server and stores what came. */
  async connect({ zoo, upstream }: { zoo: OauthUpstream; upstream: Upstream }, { owner, name = null, identityId = null }: { owner: Owner; name?: string | null; identityId?: string | null }): Promise<IdentityRow> {
    const answer = await this.tokens(zoo);
    const { access_token: access, refresh_token: refresh, expires_in: seconds } = answer;
    const tokens = {
      accessToken: Secret.fromText(access),
      dpopKey: null,
      refreshToken: refresh === undefined ? null : Secret.fromText(refresh),
      expiresAt: seconds === undefined ? null : this.auth.clock.now() + seconds * 1_000,
      scopes: null,
    };
    const actor = { callerId: await this.administrator(), tokenId: null };
    const { id } = await this.connecting.connected({ upstream, owner, name, identityId, clientRef: await this.client(zoo, upstream), tokens, actor });
    return this.row(id);
  }

  /** The row behind an identity. */
  async row(id: string): Promise<IdentityRow> {
    return (await findIdentity(this.auth.db, id))!;
  }

  /** What the vault has of it. */
  credential(id: string): HeldCredential | undefined {
    return this.auth.neighbours.credentials.get(id);
  }

  /** Whether the server takes what the vault has. */
  async isTaken(zoo: OauthUpstream, id: string): Promise<boolean> {
    const headers = Object.fromEntries(this.credential(id)?.headers ?? []);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } });
    return (await fetch(zoo.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).ok;
  }

  /** Asks as an edge does. */
  ask(row: { id: string }, question: Partial<RefreshQuestion> = {}): Promise<RefreshAnswer> {
    const version = question.version ?? this.credential(row.id)?.version ?? 0;
    return this.auth.gateway.request(identityContracts.refreshIdentity, { identityId: row.id, cause: 'expired', challenge: null, ...question, version });
  }

  /** How the directory has it. */
  async shownToEdges(id: string): Promise<directoryContracts.Directory['identities'][number] | undefined> {
    return (await this.auth.directory()).identities.find((one) => one.id === id);
  }

  /** Stores headers as an identity, as an edge does. */
  async store(upstream: Upstream, owner: Owner, { name = 'default', headers = { 'X-Api-Key': 'key-of-a-test' } }: { name?: string; headers?: Record<string, string> } = {}): Promise<identityContracts.Identity> {
    const identityId = newId('identity');
    const asked = { actor: await this.actor(), identityId, serverId: upstream.id, owner, name, headers: await this.sealed(identityId, headers) };
    return (await this.auth.gateway.request(identityContracts.createIdentity, asked)).identity;
  }

  /** Header lines sealed as they come in. */
  async sealed(identityId: string, headers: Record<string, string>): Promise<{ name: string; sealed: string; lastFour: string | null }[]> {
    const { publicKey } = await this.auth.gateway.request(vault.getEntryKey, {});
    return Object.entries(headers).map(([name, value]) => ({ name, sealed: sealTo(publicKey, Buffer.from(value), vault.entryContext(identityId, name)), lastFour: value.slice(-4) }));
  }

  /** A secret of auth's, sealed as it comes in. */
  async sealedSecret(secretId: string, value: string): Promise<string> {
    const { publicKey } = await this.auth.gateway.request(vault.getEntryKey, {});
    return sealTo(publicKey, Buffer.from(value), vault.serviceSecretContext(secretId));
  }

  actor(): Promise<Actor> {
    return this.auth.administrator();
  }

  async close(): Promise<void> {
    await Promise.all(this.zoos.map((zoo) => zoo.close()));
    await this.outbox.stop();
    await this.auth.close();
  }

  private async administrator(): Promise<string> {
    return (await this.actor()).callerId;
  }

  private async tokens(zoo: OauthUpstream): Promise<{ access_token: string; refresh_token?: string; expires_in?: number }> {
    const { verifier, challenge } = pkcePair();
    const query = new URLSearchParams({ response_type: 'code', client_id: CLIENT, redirect_uri: CALLBACK, state: 's', code_challenge: challenge, code_challenge_method: 'S256', resource: zoo.url });
    const back = await fetch(`${zoo.endpoints.authorize}?${query.toString()}`, { redirect: 'manual' });
    const code = new URL(back.headers.get('location')!).searchParams.get('code')!;
    const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, client_id: CLIENT, code_verifier: verifier };
    return (await (await fetch(zoo.endpoints.token, { method: 'POST', body: new URLSearchParams(form) })).json()) as { access_token: string };
  }

  private async client(zoo: OauthUpstream, { id: serverId }: Upstream): Promise<string> {
    const id = `client-of-${serverId}`;
    await this.auth.db.query(
      `INSERT INTO upstream_clients (id, server_id, issuer, method, client_id, auth_method, redirect_uri, scopes, created_at)
       VALUES ($1, $2, $3, 'static', $4, 'none', $5, '{}', $6) ON CONFLICT (id) DO NOTHING`,
      [id, serverId, zoo.issuer, CLIENT, CALLBACK, this.auth.clock.now()],
    );
    return id;
  }
}
