import { setTimeout as wait } from 'node:timers/promises';
import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import { BlobRefused } from '../sealing/secret-blob.js';
import { KeyProviderFailure, type ProviderProblem } from './key-provider.js';
import type { Renewable } from './renewable.js';

/** One request to a key service or to who issues its tokens. */
export interface KmsCall {
  url: string;
  method?: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

/** What came back, parsed. */
export interface KmsReply {
  status: number;
  json: JsonObject;
}

/** How one key service is reached. */
export interface KmsDoorOptions<A> {
  /** For people: `AWS KMS`. */
  name: string;
  outbound: Outbound;
  /** What requests are signed or authorised with. */
  access: Renewable<A>;
  /** What an answer other than 2xx means; `blob` is a ciphertext that does not open. */
  judge(reply: KmsReply): ProviderProblem | 'blob';
  /** From connecting to the last byte of one request. */
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 65_536;
const ATTEMPTS = 3;
const FIRST_WAIT_MS = 100;
// Its answer was never seen, or asks for another try; wrapping twice does no harm.
const TRIED_AGAIN: readonly (ProviderProblem | 'blob')[] = ['throttled', 'unreachable', 'credentials'];

/**
 * Sends one request. The address is the operator's own setting, so private networks are let through
 * (a vault next door, a private link); plain http only there.
 */
export async function sendKms(o: { name: string; outbound: Outbound; timeoutMs?: number | undefined }, call: KmsCall): Promise<KmsReply> {
  try {
    const { status, body } = await o.outbound.destination(call.url, { allowPrivateNetwork: true }).fetchSmall({
      method: call.method ?? 'POST',
      headers: call.headers,
      body: call.body === undefined ? null : Buffer.from(call.body),
      maxBytes: MAX_BYTES,
      timeoutMs: o.timeoutMs ?? TIMEOUT_MS,
    });
    return { status, json: parsed(body) };
  } catch (cause) {
    throw new KeyProviderFailure(o.name, problemOf(cause), { cause });
  }
}

/** The requests of one provider: authorised, judged, and tried again where that can help. */
export class KmsDoor<A> {
  constructor(private readonly o: KmsDoorOptions<A>) {}

  /** The JSON of a 2xx answer. Rejects with `KeyProviderFailure` or `BlobRefused`. */
  async call(make: (access: A) => KmsCall): Promise<JsonObject> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(make);
      if (typeof outcome === 'object') return outcome;
      if (outcome === 'blob') throw new BlobRefused();
      if (attempt === ATTEMPTS || !TRIED_AGAIN.includes(outcome)) throw new KeyProviderFailure(this.o.name, outcome);
      await wait(FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }

  private async attempt(make: (access: A) => KmsCall): Promise<JsonObject | ProviderProblem | 'blob'> {
    const access = await this.o.access.get();
    const reply = await sendKms(this.o, make(access));
    if (reply.status >= 200 && reply.status < 300) return reply.json;
    const outcome = reply.status >= 500 ? 'unreachable' : this.o.judge(reply);
    // A rotated file or an ended session is the usual reason: read and log in again.
    if (outcome === 'credentials') this.o.access.forget();
    return outcome;
  }
}

/** A text member of an answer; a `KeyProviderFailure` when it is not there. */
export function textOf(json: JsonObject, member: string, provider: string): string {
  const value = json[member];
  if (typeof value !== 'string' || value === '') throw new KeyProviderFailure(provider, 'answer');
  return value;
}

/** An object member of an answer; empty when it is not there. */
export function objectOf(json: JsonObject, member: string): JsonObject {
  const value = json[member];
  return isJsonObject(value) ? value : {};
}

function parsed(body: Buffer): JsonObject {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(json) ? json : {};
  } catch {
    // A proxy's page or half an answer: the status says enough, and members will be missed by name.
    return {};
  }
}

function problemOf(cause: unknown): ProviderProblem {
  if (!(cause instanceof Refusal)) return 'answer';
  if (cause.code === 'upstream_timeout') return 'timeout';
  return cause.code === 'upstream_unreachable' || cause.code === 'url_refused' ? 'unreachable' : 'answer';
}
