import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type Secret } from '@gatehouse/kernel';
import { Redis, type RedisOptions } from 'ioredis';
import type { Ephemeral } from './ephemeral.js';
import { wholeTtl } from './whole-ttl.js';

const COMMAND_LIMIT_MS = 400;
// A peer that vanished without closing is found out by the first command that stays unanswered.
const SILENCE_LIMIT_MS = 1_000;
const CONNECT_LIMIT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;

/** Where Redis is and how to sign in. */
export interface RedisEphemeralOptions {
  /** `redis://host:port/db` or `rediss://...` for TLS. */
  url: string;
  /** Put before every key, so that one Redis can serve several installations. */
  keyPrefix?: string;
  username?: string;
  password?: Secret;
  /** PEM of the authority that signed the server's certificate, with `rediss://`. */
  ca?: string;
  /** Told once when the connection is lost and once when it is back; fits a pino logger. */
  log?: { warn(fields: object, message: string): void };
}

/**
 * Ephemeral state in Redis 6.2 or later (GETDEL). Resolves when Redis answers, or after two seconds
 * with `state()` 'down': it keeps reconnecting by itself, so services may start before Redis does.
 */
export async function redisEphemeral(options: RedisEphemeralOptions): Promise<Ephemeral> {
  const redis = new Redis(options.url, connection(options));
  const ephemeral = new RedisEphemeral(redis, options.log);
  await ephemeral.firstAnswer();
  return ephemeral;
}

function connection(options: RedisEphemeralOptions) {
  const { url, keyPrefix, username, password, ca } = options;
  return {
    lazyConnect: true,
    // Nothing is queued or repeated: a caller who was told "no" must not find it done later.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_LIMIT_MS,
    socketTimeout: SILENCE_LIMIT_MS,
    connectTimeout: CONNECT_LIMIT_MS,
    retryStrategy: (times) => Math.min(FIRST_RETRY_MS * 2 ** Math.min(times, 10), MAX_RETRY_MS),
    ...(keyPrefix === undefined ? {} : { keyPrefix }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.use((bytes) => bytes.toString('utf8')) }),
    // The company's authority is trusted for much more than Redis: only the URL says that there is TLS.
    ...(ca === undefined || !url.startsWith('rediss:') ? {} : { tls: { ca } }),
  } satisfies RedisOptions;
}

class RedisEphemeral implements Ephemeral {
  private closed = false;
  private wasUp = true;
  private lastError = '';

  constructor(
    private readonly redis: Redis,
    private readonly log: RedisEphemeralOptions['log'],
  ) {
    redis.on('error', (error: Error) => void (this.lastError = error.message));
    redis.on('close', () => this.noteDown());
    redis.on('ready', () => this.noteUp());
  }

  async firstAnswer(): Promise<void> {
    // A first connection that fails is retried by the client itself and shows in state().
    const connecting = this.redis.connect().catch(() => undefined);
    const limit = new AbortController();
    await Promise.race([connecting, sleep(CONNECT_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.ask(() => this.redis.get(key))) ?? undefined;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    const ttl = wholeTtl(ttlMs);
    await this.ask(() => this.redis.set(key, value, 'PX', ttl));
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    const ttl = wholeTtl(ttlMs);
    return (await this.ask(() => this.redis.set(key, value, 'PX', ttl, 'NX'))) === 'OK';
  }

  async take(key: string): Promise<string | undefined> {
    return (await this.ask(() => this.redis.getdel(key))) ?? undefined;
  }

  async delete(key: string): Promise<void> {
    await this.ask(() => this.redis.del(key));
  }

  state(): 'up' | 'down' {
    return !this.closed && this.redis.status === 'ready' ? 'up' : 'down';
  }

  async close(): Promise<void> {
    this.closed = true;
    this.redis.disconnect();
  }

  private async ask<T>(command: () => Promise<T>): Promise<T> {
    if (this.state() === 'down') throw new Refusal('service_unavailable');
    try {
      return await command();
    } catch (error) {
      throw this.refusalFor(error as Error);
    }
  }

  private refusalFor(error: Error): Refusal {
    // maxmemory with noeviction answers OOM: the store works and is full.
    if (error.message.startsWith('OOM')) return new Refusal('overloaded');
    this.lastError = error.message;
    return new Refusal('service_unavailable');
  }

  private noteDown(): void {
    if (!this.wasUp || this.closed) return;
    this.wasUp = false;
    this.log?.warn({ reason: this.lastError }, 'redis connection lost, reconnecting');
  }

  private noteUp(): void {
    if (!this.wasUp) this.log?.warn({}, 'redis connection is back');
    this.wasUp = true;
  }
}
