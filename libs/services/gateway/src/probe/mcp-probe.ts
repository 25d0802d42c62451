import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import { isSupported, SUPPORTED_VERSIONS } from '@gatehouse/mcp';
import { FIRST_VERSION } from '../upstream-sse/first-version.js';
import type { ProbeChannel } from './probe-channel.js';

/** What a server said of itself when a probe opened a session. */
export interface ProbedSession {
  protocolVersion: string;
  serverInfo: { name: string; version: string };
  capabilities: JsonObject;
}

const TEXT_CHARS = 200;

/**
 * A minimal client of the session era that only looks: it opens a session, lists, and leaves. Raw JSON
 * instead of the SDK's client, because the SDK drops members it does not know and the fingerprint of a
 * definition must cover all of them (ADR 0003).
 */
export class McpProbe {
  #id = 0;
  #opened: Promise<ProbedSession> | undefined;

  constructor(private readonly channel: ProbeChannel) {}

  /** What the server is spoken to over. */
  get transport(): ProbeChannel['transport'] {
    return this.channel.transport;
  }

  /** Opens the session, once; refuses as the channel does, and `upstream_invalid` for what is no MCP server. */
  open(): Promise<ProbedSession> {
    return (this.#opened ??= this.#initialize());
  }

  /** One request; the result, or a refusal `upstream_refused` {rpcCode}. */
  async request(method: string, params: JsonObject): Promise<JsonObject> {
    const id = ++this.#id;
    const response = await this.channel.ask({ jsonrpc: '2.0', id, method, params });
    if (response.error !== undefined) throw new Refusal('upstream_refused', { rpcCode: Number(response.error['code']) });
    if (!isJsonObject(response.result)) throw new Refusal('upstream_invalid', { reason: 'result_no_object' });
    return response.result;
  }

  /** Leaves; a server that does not care is fine. */
  close(): Promise<void> {
    return this.channel.close();
  }

  async #initialize(): Promise<ProbedSession> {
    const result = await this.request('initialize', {
      protocolVersion: SUPPORTED_VERSIONS[0],
      capabilities: {},
      clientInfo: { name: 'gatehouse', version: '0.1.0' },
    });
    const version = result['protocolVersion'];
    if (typeof version !== 'string' || !this.#isSpoken(version)) throw new Refusal('upstream_invalid', { reason: 'protocol_version' });
    this.channel.agree(version);
    await this.channel.tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const info = isJsonObject(result['serverInfo']) ? result['serverInfo'] : {};
    return {
      protocolVersion: version,
      serverInfo: { name: text(info['name']), version: text(info['version']) },
      capabilities: isJsonObject(result['capabilities']) ? result['capabilities'] : {},
    };
  }

  #isSpoken(version: string): boolean {
    return isSupported(version) || (version === FIRST_VERSION && this.channel.transport === 'sse');
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, TEXT_CHARS) : '';
}
