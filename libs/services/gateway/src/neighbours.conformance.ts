import 'reflect-metadata';
import { generateKeyPairSync, hash, randomBytes, sign, type KeyObject } from 'node:crypto';
import { inProcessBus, InProcessBroker, Serves, type Bus } from '@gatehouse/bus';
import {
  auditContracts,
  catalogueContracts,
  directoryContracts,
  identityContracts,
  policyContracts, serverContracts,
  SNAPSHOT_CHUNK_CHARS,
  vaultContracts,
  type ServiceName,
  type SnapshotReply,
  type SnapshotVersion,
} from '@gatehouse/contracts';
import { newId, newSealingKeyPair, openSealed, Refusal, sealTo } from '@gatehouse/kernel';
import { Controller, Inject } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { z } from 'zod';

type Discovered = z.output<typeof identityContracts.discoverUpstream.reply>;
type Renewed = z.output<typeof identityContracts.refreshIdentity.reply>;
type In<C extends { request: z.ZodType }> = z.output<C['request']>;
type Account = directoryContracts.Directory['callers'][number];
type Identity = directoryContracts.Directory['identities'][number];

/** A signing key as the vault leases it. */
export interface Signer {
  id: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

/** A new Ed25519 pair under an id. */
export function newSigner(id: string): Signer {
  return { id, ...generateKeyPairSync('ed25519') };
}

/** What the other four services say to an edge, as one state that a test changes. */
export class Neighbours {
  readonly broker = new InProcessBroker();
  readonly signers = { policy: newSigner('key_policy'), directory: newSigner('key_directory') };
  /** Keys of statements about calls, the active one first; with none the vault refuses them. */
  callSigners = [newSigner('key_calls')];
  /** Who signs in truth; a test may put a stranger here. */
  signing = { ...this.signers };
  readonly sessionKey = randomBytes(32);
  readonly digestKey = randomBytes(32);
  readonly entryPair = newSealingKeyPair();
  epoch = 'epoch-1';
  policyVersion = 1;
  directoryVersion = 1;
  servers: policyContracts.SnapshotServer[] = [];
  policies: { name: string; version: number; text: string }[] = [];
  callers: Account[] = [];
  tokens: directoryContracts.Directory['tokens'] = [];
  keys: directoryContracts.Directory['keys'] = [];
  denied: directoryContracts.Directory['denied'] = [];
  issuers: directoryContracts.Directory['issuers'] = [];
  identities: Identity[] = [];
  /** Header lines by identity. */
  readonly credentials = new Map<string, [string, string][]>();
  /** The version of each identity's credential (1 unless told), and how much of its life is left: 0 is `credential_expired`. */
  readonly versions = new Map<string, number>();
  readonly lives = new Map<string, number>();
  /** Identities whose credential was stored for another origin. */
  readonly unbound = new Set<string>();
  readonly leased: In<typeof vaultContracts.leaseCredential>[] = [];
  /** What auth was asked about identities, and what it answers. */
  readonly renewals: In<typeof identityContracts.refreshIdentity>[] = [];
  renew: (wish: In<typeof identityContracts.refreshIdentity>) => Renewed | Promise<Renewed> = () => ({ outcome: 'unchanged', reason: null });
  readonly connects: In<typeof identityContracts.startConnect>[] = [];
  connect: (wish: In<typeof identityContracts.startConnect>) => string = () => 'http://gatehouse.test/connect/ticket-0123456789abcdef';
  /** What auth was asked to find out about servers, and what it found. */
  readonly discoveries: In<typeof identityContracts.discoverUpstream>[] = [];
  discover: (wish: In<typeof identityContracts.discoverUpstream>) => Discovered = () => {
    throw new Refusal('unknown_server');
  };
  readonly obtained: In<typeof identityContracts.obtainIdentity>[] = [];
  /** What auth says to who wants an account made: its id, or what is in the way. */
  obtain: (wish: In<typeof identityContracts.obtainIdentity>) => string | { problem: string } = () => ({ problem: 'nobody makes accounts here' });
  /** Everything the vault was asked to keep and to destroy. */
  readonly stored: In<typeof vaultContracts.storeCredential>[] = [];
  readonly destroyed: string[] = [];
  readonly added: In<typeof serverContracts.addServer>[] = [];
  readonly entries: auditContracts.SpoolEntry[] = [];
  /** What auth was asked about other issuers' tokens, and how it answers the next wishes to link. */
  readonly links: In<typeof directoryContracts.linkCaller>[] = [];
  readonly refreshed: string[] = [];
  link: (wish: In<typeof directoryContracts.linkCaller>) => void = () => {
    throw new Refusal('unauthenticated');
  };
  /** Addresses of the catalogue's entries by name. */
  readonly catalogue = new Map<string, string>();
  /** What policy answers to the next registrations. */
  refuseServers: Refusal | undefined;
  #buses: Bus[] = [];

  /** A bus of one service on the broker of this neighbourhood. */
  bus(service: ServiceName): Bus {
    const bus = inProcessBus(this.broker, service);
    this.#buses.push(bus);
    return bus;
  }

  /** Starts answering for these services; the others are down. */
  async serve(services: readonly Exclude<ServiceName, 'gateway'>[] = ['vault', 'policy', 'auth', 'audit']): Promise<void> {
    for (const service of services) {
      const module = { module: NeighbourModule, controllers: [CONTROLLERS[service]], providers: [{ provide: STATE, useValue: this }] };
      const app = await NestFactory.createMicroservice(module, { strategy: this.bus(service).strategy(), logger: false });
      await app.listen();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()));
  }

  /** Adds a person with a token; the token's text. */
  addToken(name: string, options: { scopes?: string[]; capabilities?: string[]; callerId?: string; expiresAt?: number } = {}): string {
    const { scopes = ['mcp:access'], capabilities = [], callerId = newId('person'), expiresAt = null } = options;
    const token = `ghp_gatehouse_${randomBytes(24).toString('base64url')}`;
    this.addCaller(name, callerId, capabilities);
    this.tokens.push({ id: newId('token'), digest: hash('sha256', token, 'base64url'), callerId, scopes, expiresAt });
    return token;
  }

  /** Adds a person, unless the id is known; the id. */
  addCaller(name: string, id = newId('person'), capabilities: string[] = []): string {
    const kind = id.startsWith('svc_') ? ('service_account' as const) : ('person' as const);
    if (!this.callers.some((each) => each.id === id)) this.callers.push({ id, kind, name, email: null, roles: ['member'], teams: [], capabilities });
    this.directoryVersion += 1;
    return id;
  }

  /** Takes a token out of the directory, as revoking it does. */
  revoke(token: string): void {
    const digest = hash('sha256', token, 'base64url');
    this.tokens = this.tokens.filter((each) => each.digest !== digest);
    this.directoryVersion += 1;
  }

  /** Registers a server, with a credential when header lines are given. */
  addServer(name: string, url: string, credential?: [string, string][]): policyContracts.SnapshotServer {
    const identityId = credential === undefined ? null : newId('identity');
    if (identityId !== null) this.credentials.set(identityId, credential!);
    const server: policyContracts.SnapshotServer = {
      ...{ transport: 'streamable-http' as const, auth: identityId === null ? ('none' as const) : ('headers' as const), grant: null, signCalls: false, forwardHeaders: [], debugUntil: null },
      ...{ id: newId('server'), name, url, stateless: false, allowPrivateNetwork: true, caCertificate: null, state: 'running' as const, restarts: 0, headers: [], tools: {} },
      identityMode: identityId === null ? ('none' as const) : ('global' as const),
    };
    this.servers.push(server);
    this.policyVersion += 1;
    if (identityId !== null) this.addIdentity(server, 'global', { id: identityId, method: 'headers' });
    return server;
  }

  /** Id of the account that a server was added with. */
  accountOf(server: { id: string }): string {
    return this.identities.find(({ serverId, owner }) => serverId === server.id && owner === 'global')!.id;
  }

  /** Connects an account, with the header lines it stands for; the identity, which a test may change. */
  addIdentity(server: { id: string }, owner: string, changes: Partial<Identity> = {}, lines?: [string, string][]): Identity {
    const made: Identity = { ...{ id: newId('identity'), serverId: server.id, owner, name: 'default', method: 'oauth', status: 'active', preferred: false }, ...changes };
    this.identities.push(made);
    if (lines !== undefined) this.credentials.set(made.id, lines);
    this.directoryVersion += 1;
    return made;
  }

  /** Puts one policy in force in place of all others. */
  setPolicy(text: string): void {
    this.policies = [{ name: 'the-policy', version: this.policyVersion, text }];
    this.policyVersion += 1;
  }

  /** The policy snapshot as it stands. */
  policyText(): string {
    const { epoch, policyVersion: version, servers, policies } = this;
    return JSON.stringify({ epoch, version, issuedAt: Date.now(), servers, policies } satisfies policyContracts.PolicySnapshot);
  }

  /** The directory as it stands. */
  directoryText(): string {
    const { epoch, directoryVersion: version, callers, tokens, keys, denied, issuers, identities } = this;
    return JSON.stringify({ epoch, version, issuedAt: Date.now(), callers, tokens, keys, denied, issuers, identities } satisfies directoryContracts.Directory);
  }

  /** Entries of one call or admin change joined: facts and outcome. */
  records(): { callId: string; facts: auditContracts.RecordFacts; outcome: auditContracts.RecordOutcome | undefined; intended: boolean }[] {
    const outcomes = new Map(this.entries.flatMap((each) => (each.phase === 'outcome' ? [[each.callId, each.outcome] as const] : [])));
    return this.entries.flatMap((each) => {
      if (each.phase === 'outcome') return [];
      const outcome = each.phase === 'single' ? each.outcome : outcomes.get(each.callId);
      return [{ callId: each.callId, facts: each.facts, outcome, intended: each.phase === 'intent' }];
    });
  }
}

/** Ed25519 over the text, as `SnapshotReply` carries it. */
export function signText(text: string, { privateKey }: Signer): string {
  return sign(null, Buffer.from(text), privateKey).toString('base64url');
}

function reply(text: string, version: SnapshotVersion, have: SnapshotVersion | undefined, part: number, signer: Signer): SnapshotReply {
  if (part === 0 && have?.epoch === version.epoch && have.version === version.version) return { unchanged: true, ...version };
  const parts = Math.max(1, Math.ceil(text.length / SNAPSHOT_CHUNK_CHARS));
  const chunk = text.slice(part * SNAPSHOT_CHUNK_CHARS, (part + 1) * SNAPSHOT_CHUNK_CHARS);
  return { unchanged: false, ...version, parts, part, chunk, keyId: signer.id, signature: signText(text, signer) };
}

const STATE = 'NEIGHBOURS';

class NeighbourModule {}

@Controller()
class VaultDouble {
  constructor(@Inject(STATE) private readonly state: Neighbours) {}

  @Serves(vaultContracts.getEntryKey)
  entryKey() {
    return { keyId: 'key_entry', publicKey: this.state.entryPair.publicKey };
  }

  @Serves(vaultContracts.storeCredential)
  store(input: In<typeof vaultContracts.storeCredential>) {
    this.state.stored.push(input);
    const lines = input.fields.map(({ name, sealed }): [string, string] => [
      name,
      openSealed(this.state.entryPair, sealed, vaultContracts.entryContext(input.identityId, name)).toString('latin1'),
    ]);
    this.state.credentials.set(input.identityId, lines);
    return { version: 1 };
  }

  @Serves(vaultContracts.leaseCredential)
  lease(asked: In<typeof vaultContracts.leaseCredential>) {
    const { identityId, serverId, origin, edgeKey, owner } = asked;
    this.state.leased.push(asked);
    const headers = this.state.credentials.get(identityId);
    const known = this.state.identities.find(({ id }) => id === identityId);
    if (headers === undefined || (known !== undefined && known.owner !== owner)) throw new Refusal('credential_missing');
    if (this.state.unbound.has(identityId)) throw new Refusal('credential_unbound');
    const leftMs = this.state.lives.get(identityId) ?? null;
    if (leftMs === 0) throw new Refusal('credential_expired');
    const [dpopKey] = headers.filter(([name]) => name === vaultContracts.DPOP_KEY_FIELD).map(([, value]) => value);
    const plain = Buffer.from(JSON.stringify({ headers: headers.filter(([name]) => name !== vaultContracts.DPOP_KEY_FIELD), dpopKey }));
    const sealed = sealTo(edgeKey, plain, vaultContracts.leaseContext(identityId, serverId, origin));
    return { sealed, version: this.state.versions.get(identityId) ?? 1, expiresInMs: Math.min(60_000, leftMs ?? 60_000), credentialExpiresInMs: leftMs };
  }

  @Serves(vaultContracts.destroyCredential)
  destroy({ identityId }: In<typeof vaultContracts.destroyCredential>) {
    this.state.destroyed.push(identityId);
    return { destroyed: this.state.credentials.delete(identityId) };
  }

  @Serves(vaultContracts.leaseSessionKey)
  sessionKey({ instanceKey }: In<typeof vaultContracts.leaseSessionKey>) {
    return { keys: [{ id: 'key_session', sealed: sealTo(instanceKey, Buffer.from(this.state.sessionKey), vaultContracts.keyContext('session', 'key_session')) }] };
  }

  @Serves(vaultContracts.leaseDigestKey)
  digestKey({ instanceKey }: In<typeof vaultContracts.leaseDigestKey>) {
    return { keys: [{ id: 'key_digest', sealed: sealTo(instanceKey, Buffer.from(this.state.digestKey), vaultContracts.keyContext('digest', 'key_digest')) }] };
  }

  @Serves(vaultContracts.listVerificationKeys)
  verificationKeys() {
    const listed = ({ id, publicKey }: Signer) => [{ id, publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64url') }];
    const calls = this.state.callSigners.flatMap(listed);
    return { policy: listed(this.state.signers.policy), directory: listed(this.state.signers.directory), calls };
  }

  @Serves(vaultContracts.leaseCallSigningKey)
  callSigningKey({ instanceKey }: In<typeof vaultContracts.leaseCallSigningKey>) {
    const [signer] = this.state.callSigners;
    if (signer === undefined) throw new Refusal('vault_unavailable');
    const { id, privateKey } = signer;
    return { keys: [{ id, sealed: sealTo(instanceKey, privateKey.export({ format: 'der', type: 'pkcs8' }), vaultContracts.keyContext('call-signing', id)) }] };
  }
}

@Controller()
class PolicyDouble {
  constructor(@Inject(STATE) private readonly state: Neighbours) {}

  @Serves(policyContracts.getPolicySnapshot)
  snapshot({ have, part }: In<typeof policyContracts.getPolicySnapshot>): SnapshotReply {
    const { epoch, policyVersion: version, signing } = this.state;
    return reply(this.state.policyText(), { epoch, version }, have, part, signing.policy);
  }

  @Serves(catalogueContracts.getCatalogueEntry)
  entry({ name }: In<typeof catalogueContracts.getCatalogueEntry>): catalogueContracts.CatalogueEntry {
    const url = this.state.catalogue.get(name);
    if (url === undefined) throw new Refusal('not_found', { catalogue: name });
    return { name, title: name, url, auth: 'oauth', documentation: url, notes: null, source: 'a test' };
  }

  @Serves(serverContracts.addServer)
  add(input: In<typeof serverContracts.addServer>): serverContracts.Server {
    this.state.added.push(input);
    if (this.state.refuseServers !== undefined) throw this.state.refuseServers;
    const health = { status: 'unknown', failure: null, detail: null, checkedAt: null, protocolVersion: null, serverInfo: null, transport: null, verdict: null, advice: null } as const;
    const counted = { tools: 0, resources: 0, prompts: 0, createdAt: 1, revision: 1, health: { ...health, steps: [] }, preset: null, debugUntil: null };
    const { caCertificate: _kept, ...shown } = input.server;
    return { ...shown, ...counted, caCertificates: [], name: input.server.name ?? 'named', identityMode: input.server.identityMode ?? 'none', state: 'running' };
  }
}

@Controller()
class AuthDouble {
  constructor(@Inject(STATE) private readonly state: Neighbours) {}

  @Serves(directoryContracts.getDirectory)
  directory({ have, part }: In<typeof directoryContracts.getDirectory>): SnapshotReply {
    const { epoch, directoryVersion: version, signing } = this.state;
    return reply(this.state.directoryText(), { epoch, version }, have, part, signing.directory);
  }

  @Serves(directoryContracts.linkCaller)
  link(wish: In<typeof directoryContracts.linkCaller>): SnapshotVersion {
    this.state.links.push(wish);
    this.state.link(wish);
    return { epoch: this.state.epoch, version: this.state.directoryVersion };
  }

  @Serves(directoryContracts.refreshIssuerKeys)
  refreshKeys({ issuer }: In<typeof directoryContracts.refreshIssuerKeys>): SnapshotVersion {
    this.state.refreshed.push(issuer);
    return { epoch: this.state.epoch, version: this.state.directoryVersion };
  }

  @Serves(identityContracts.refreshIdentity)
  refreshIdentity(wish: In<typeof identityContracts.refreshIdentity>) {
    this.state.renewals.push(wish);
    return this.state.renew(wish);
  }

  @Serves(identityContracts.discoverUpstream)
  discoverUpstream(wish: In<typeof identityContracts.discoverUpstream>) {
    this.state.discoveries.push(wish);
    return this.state.discover(wish);
  }

  @Serves(identityContracts.startConnect)
  startConnect(wish: In<typeof identityContracts.startConnect>) {
    this.state.connects.push(wish);
    const url = this.state.connect(wish);
    return { id: url.slice(url.lastIndexOf('/') + 1), url, expiresAt: Date.now() + 600_000 };
  }

  @Serves(identityContracts.obtainIdentity)
  obtainIdentity(wish: In<typeof identityContracts.obtainIdentity>) {
    this.state.obtained.push(wish);
    const made = this.state.obtain(wish);
    const outcome = typeof made === 'string' ? { identityId: made, problem: null } : { identityId: null, ...made };
    return { ...outcome, directory: { epoch: this.state.epoch, version: this.state.directoryVersion } };
  }
}

@Controller()
class AuditDouble {
  constructor(@Inject(STATE) private readonly state: Neighbours) {}

  @Serves(auditContracts.appendEntries)
  append({ entries }: In<typeof auditContracts.appendEntries>) {
    for (const { body } of entries) this.state.entries.push(auditContracts.spoolEntry.parse(JSON.parse(body)));
    return { upTo: entries.at(-1)!.seq };
  }
}

const CONTROLLERS = { vault: VaultDouble, policy: PolicyDouble, auth: AuthDouble, audit: AuditDouble } as const;
