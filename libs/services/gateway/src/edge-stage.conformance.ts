import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { directoryContracts, policyContracts } from '@gatehouse/contracts';
import { memoryEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import { createLogger, HealthChecks, Metrics } from '@gatehouse/telemetry';
import type { GatewaySettings } from './gateway-config.js';
import { Neighbours } from './neighbours.conformance.js';
import { startGateway, type RunningGateway } from './start-gateway.js';

/** An answer with its body as text. */
export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body, or the data of the last event, as JSON. */
  json: any;
}

/** Longer than a shipment waits for more. */
const SHIPPED_MS = 150;

/** A running edge among its neighbours. */
export class EdgeStage {
  private constructor(
    readonly neighbours: Neighbours,
    readonly gateway: RunningGateway,
    readonly health: HealthChecks,
    /** What the edge logs, line by line as JSON. */
    readonly logLines: string[],
    private readonly folder: string,
  ) {}

  /** Starts an edge; `neighbours` may be shared with another edge. */
  static async start(neighbours: Neighbours, settings: Partial<GatewaySettings> = {}, ephemeral: Ephemeral = memoryEphemeral(), authDoor?: RequestListener): Promise<EdgeStage> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-edge-'));
    const health = new HealthChecks();
    const logLines: string[] = [];
    const gateway = await startGateway({
      bus: neighbours.bus('gateway'),
      ephemeral,
      log: createLogger({ service: 'gateway', level: 'info', destination: { write: (line: string) => void logLines.push(line) } }),
      metrics: new Metrics(),
      health,
      ...(authDoor === undefined ? {} : { authDoor }),
      settings: {
        ...{ listen: { host: '127.0.0.1', port: 0 }, publicUrl: new URL('http://gatehouse.test'), spoolDir: join(folder, 'spool'), ownPorts: [] },
        ...{ policyMaxAgeMs: 60_000, directoryMaxAgeMs: 60_000, trustedCas: [], upstreamHeadMs: 2_000, upstreamSilenceMs: 2_000 },
        ...settings,
      },
    });
    return new EdgeStage(neighbours, gateway, health, logLines, folder);
  }

  /** Waits until the edge says that it is ready. */
  async ready(): Promise<this> {
    await eventually(() => this.gateway.ready() === true, 5_000, () => String(this.gateway.ready()));
    return this;
  }

  /** Tells the edge that policies, servers, people or tokens changed, and waits until it uses them. */
  async changed(): Promise<void> {
    const { epoch, policyVersion, directoryVersion } = this.neighbours;
    await this.neighbours.bus('policy').events.publish(policyContracts.policySnapshotPublished, { epoch, version: policyVersion }, `p${policyVersion}`);
    await this.neighbours.bus('auth').events.publish(directoryContracts.directoryPublished, { epoch, version: directoryVersion }, `d${directoryVersion}`);
    await sleep(30);
  }

  /** One HTTP request, with Host and the content types of MCP unless told otherwise. */
  send(method: string, path: string, headers: Record<string, string | string[]> = {}, body?: string | Buffer): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const given = {
        ...{ host: 'gatehouse.test', accept: 'application/json, text/event-stream' },
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      };
      const call = request({ host: '127.0.0.1', port: this.gateway.port, method, path, headers: given, agent: false, timeout: 15_000 }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: answer.statusCode!, headers: answer.headers, text, json: lastMessage(text) });
        });
      });
      call.on('error', reject).on('timeout', () => call.destroy(new Error('no answer in 15 s')));
      call.end(body);
    });
  }

  /** Posts and gives the answer once its head is there; whoever asked reads or destroys it. */
  open(path: string, headers: Record<string, string>, body: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const given = { host: 'gatehouse.test', accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers };
      const call = request({ host: '127.0.0.1', port: this.gateway.port, method: 'POST', path, headers: given, agent: false }, resolve);
      call.on('error', reject).end(body);
    });
  }

  /** One JSON-RPC message to an endpoint. */
  post(name: string, token: string, message: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const body = typeof message === 'string' ? message : JSON.stringify(message);
    return this.send('POST', `/mcp/${name}`, { authorization: `Bearer ${token}`, ...headers }, body);
  }

  /** Opens a session; its id. */
  async session(name: string, token: string, capabilities: object = {}, protocolVersion = '2025-11-25'): Promise<string> {
    const params = { protocolVersion, capabilities, clientInfo: { name: 'stage', version: '1' } };
    const answer = await this.post(name, token, { jsonrpc: '2.0', id: 'init', method: 'initialize', params });
    const id = answer.headers['mcp-session-id'];
    if (typeof id !== 'string') throw new Error(`no session: ${answer.status} ${answer.text}`);
    return id;
  }

  /** Calls a tool in a session. */
  call(name: string, token: string, session: string, tool: string, id: string | number = 1, args: object = {}): Promise<Answered> {
    return this.post(name, token, { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } }, { 'mcp-session-id': session });
  }

  /** How many records there are, once those of what was done before have arrived. */
  async recordsSoFar(): Promise<number> {
    await sleep(SHIPPED_MS);
    return this.neighbours.records().length;
  }

  /** The records that arrived after `before` had, once there are `count` of them and no more are on the way. */
  async recordsAfter(before: number, count = 1) {
    await eventually(() => this.neighbours.records().slice(before).filter(({ outcome }) => outcome !== undefined).length >= count);
    await sleep(SHIPPED_MS);
    return this.neighbours.records().slice(before);
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function lastMessage(text: string): unknown {
  const data = text.includes('data: ') ? text.split('\n').filter((line) => line.startsWith('data: ')).at(-1)!.slice(6) : text;
  try {
    return JSON.parse(data);
  } catch {
    // Not every answer is JSON; then the text is what a test looks at.
    return undefined;
  }
}

/** Waits until the condition holds. */
export async function eventually(condition: () => boolean, limitMs = 5_000, say: () => string = () => 'it did not become so'): Promise<void> {
  for (const until = Date.now() + limitMs; !condition(); await sleep(5)) {
    if (Date.now() > until) throw new Error(`${say()} after ${limitMs} ms`);
  }
}
