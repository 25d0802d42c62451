import { callbackParameters, PublicClient } from '@gatehouse/testing';
import type { Company } from '../world/company.js';
import { eventually, type World } from '../world/world.js';
import { CLIENT_REDIRECT } from './oauth-memory.js';

/** An answer of an endpoint. */
export interface EndpointAnswer {
  status: number;
  headers: Headers;
  json: any;
}

/** A client that a person of the company connected to an endpoint, with its tokens in the open. */
export class ConnectedClient {
  #session: string | undefined;

  constructor(
    private readonly world: World,
    private readonly oauth: PublicClient,
    readonly endpoint: string,
    private tokens: { access: string; refresh: string },
  ) {}

  /** Its OAuth client id. */
  get clientId(): string {
    return this.oauth.options.clientId;
  }

  get accessToken(): string {
    return this.tokens.access;
  }

  get refreshToken(): string {
    return this.tokens.refresh;
  }

  /** The grant behind its tokens. */
  get grantId(): string {
    const payload = this.tokens.access.split('.')[1]!;
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).gid;
  }

  /** Gets new tokens; the status of the answer. */
  async refresh(): Promise<number> {
    const { status, json } = await this.oauth.refresh(this.tokens.refresh);
    if (status === 200) this.tokens = { access: String(json['access_token']), refresh: String(json['refresh_token']) };
    return status;
  }

  /** Sends one message to an endpoint, at the first edge and in no session unless told. */
  async request(name: string, method: string, params: object = {}, { edge = 0, session }: { edge?: number; session?: string } = {}): Promise<EndpointAnswer> {
    const answer = await fetch(`${this.world.edges[edge % this.world.edges.length]!}/mcp/${name}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.tokens.access}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, json: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** Calls a tool in its session; the answer as text. */
  async callTool(name: string, edge = 0): Promise<string> {
    this.#session ??= await this.open();
    const { status, json } = await this.request(this.endpoint, 'tools/call', { name, arguments: {} }, { edge, session: this.#session });
    return status === 200 && json.error === undefined ? JSON.stringify(json.result) : `error ${status} ${JSON.stringify(json)}`;
  }

  /** The status of a call in its session: what a story watches while access ends. */
  async callStatus(edge = 0): Promise<number> {
    this.#session ??= await this.open();
    return (await this.request(this.endpoint, 'tools/call', { name: 'search', arguments: {} }, { edge, session: this.#session })).status;
  }

  /** Opens the stream that a server would speak on; resolves with how long it lived once it ends. */
  async listen(edge = 0): Promise<{ ended: Promise<void> }> {
    this.#session ??= await this.open();
    const answer = await fetch(`${this.world.edges[edge % this.world.edges.length]!}/mcp/${this.endpoint}`, {
      headers: { authorization: `Bearer ${this.tokens.access}`, accept: 'text/event-stream', 'mcp-session-id': this.#session },
    });
    if (answer.status !== 200) throw new Error(`no stream: ${answer.status} ${await answer.text()}`);
    return { ended: answer.text().then(() => undefined, () => undefined) };
  }

  private async open(): Promise<string> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'connected', version: '1' } };
    const { status, headers, json } = await this.request(this.endpoint, 'initialize', params);
    const id = headers.get('mcp-session-id');
    if (id === null) throw new Error(`no session: ${status} ${JSON.stringify(json)}`);
    return id;
  }
}

/** A person of the company signs in and connects a new client to an endpoint; every edge knows them afterwards. */
export async function connectedClient(company: Company, world: World, login: string, endpoint: string): Promise<ConnectedClient> {
  const issuer = world.edges[0]!;
  const asker = new PublicClient({ issuer, clientId: '', redirectUri: CLIENT_REDIRECT });
  const { json } = await asker.register({ client_name: `Client of ${login}`, redirect_uris: [CLIENT_REDIRECT], token_endpoint_auth_method: 'none' });
  const oauth = new PublicClient({ issuer, clientId: String(json['client_id']), redirectUri: CLIENT_REDIRECT, resource: `${issuer}/mcp/${endpoint}`, scope: 'mcp:access' });
  const address = await company.goThrough(company.browser([CLIENT_REDIRECT]), oauth.authorizeUrl(), login);
  const answer = await oauth.exchange(callbackParameters(address)['code']);
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
  const tokens = { access: String(answer.json['access_token']), refresh: String(answer.json['refresh_token']) };
  const client = new ConnectedClient(world, oauth, endpoint, tokens);
  for (const edge of world.edges.keys()) await eventually(async () => ((await client.request(endpoint, 'ping', {}, { edge })).status === 401 ? undefined : true));
  return client;
}
