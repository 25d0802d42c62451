import { randomBytes } from 'node:crypto';
import type { authContracts } from '@gatehouse/contracts';
import { newId, type JsonObject } from '@gatehouse/kernel';
import { AuthStage } from '../auth-stage.conformance.js';
import { newTokenText, tokenDigest } from '../tokens/token-text.js';

/** An answer of SCIM. */
export interface ScimReply {
  status: number;
  headers: Headers;
  json: JsonObject;
  record: JsonObject | undefined;
}

const CORE = 'urn:ietf:params:scim:schemas';

/** A directory that provisions a running auth over HTTP. */
export class ScimStage {
  token = '';
  serviceAccount = '';

  private constructor(readonly auth: AuthStage) {}

  static async start(): Promise<ScimStage> {
    const stage = new ScimStage(await AuthStage.start());
    stage.serviceAccount = await stage.newServiceAccount();
    stage.token = await stage.newToken(stage.serviceAccount);
    return stage;
  }

  close(): Promise<void> {
    return this.auth.close();
  }

  async newServiceAccount(): Promise<string> {
    const id = newId('service_account');
    await this.auth.db.query(`INSERT INTO people (id, kind, name, roles, teams, status, created_at) VALUES ($1, 'service_account', 'Directory sync', '{member}', '{}', 'active', 1)`, [id]);
    return id;
  }

  /** A token of somebody, straight into the database. */
  async newToken(callerId: string, o: { scopes?: authContracts.TokenScope[]; expiresAt?: number } = {}): Promise<string> {
    const text = newTokenText();
    await this.auth.db.query('INSERT INTO tokens (id, person_id, name, scopes, digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, 1, $6)', [
      ...[newId('token'), callerId, 'scim', o.scopes ?? ['scim'], tokenDigest(text), o.expiresAt ?? null],
    ]);
    return text.toString();
  }

  /** One request; `body` may be text that is no JSON. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ScimReply> {
    const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/scim+json' };
    const answer = await fetch(`${this.auth.origin}/scim/v2${path}`, { method, ...payload, headers: { authorization: `Bearer ${this.token}`, ...type, ...headers } });
    const [text, record] = [await answer.text(), answer.headers.get('x-gatehouse-record')];
    return { status: answer.status, headers: answer.headers, json: text === '' ? {} : (JSON.parse(text) as JsonObject), record: record === null ? undefined : (JSON.parse(record) as JsonObject) };
  }

  /** A list found by a filter. */
  async find(path: string, filter: string, more = ''): Promise<ScimReply> {
    return this.ask('GET', `${path}?filter=${encodeURIComponent(filter)}${more}`);
  }

  /** A new user; returns the id. */
  async user(over: JsonObject = {}): Promise<string> {
    return String((await this.created('/Users', this.userBody(over))).json['id']);
  }

  /** A new group; returns the id. */
  async group(displayName: string, members: string[] = []): Promise<string> {
    return String((await this.created('/Groups', { schemas: [`${CORE}:core:2.0:Group`], displayName, members: members.map((value) => ({ value })) })).json['id']);
  }

  userBody(over: JsonObject = {}): JsonObject {
    const userName = `${randomBytes(6).toString('hex')}@corp.example`;
    return { schemas: [`${CORE}:core:2.0:User`], userName, active: true, displayName: 'Ada Lovelace', emails: [{ value: userName, type: 'work', primary: true }], ...over };
  }

  patch(path: string, ...Operations: JsonObject[]): Promise<ScimReply> {
    return this.ask('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
  }

  /** The version that edges are told of. */
  async version(): Promise<number> {
    const [row] = await this.auth.db.query<{ version: string }>('SELECT version FROM directory_state');
    return Number(row!.version);
  }

  /** Somebody as edges know them. */
  async caller(id: string) {
    return (await this.auth.directory()).callers.find((caller) => caller.id === id);
  }

  /** A team mapped to a group of SCIM. */
  async team(name: string, group: string, roles: string[] = []): Promise<void> {
    await this.auth.db.query('INSERT INTO teams (name, roles, created_at) VALUES ($1, $2, 1)', [name, roles]);
    await this.auth.db.query(`INSERT INTO team_groups (team, provider, group_name) VALUES ($1, 'scim', $2)`, [name, group]);
  }

  private async created(path: string, body: JsonObject): Promise<ScimReply> {
    const answer = await this.ask('POST', path, body);
    if (answer.status !== 201) throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.json)}`);
    return answer;
  }
}
