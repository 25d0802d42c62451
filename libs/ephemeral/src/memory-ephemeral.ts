import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Ephemeral } from './ephemeral.js';
import { wholeTtl } from './whole-ttl.js';

const MAX_ENTRIES = 100_000;
const SWEEP_EVERY_MS = 30_000;
// Under pressure sweeping is the only way to find room, but a flood must not buy a full scan per write.
const SWEEP_AT_MOST_EVERY_MS = 1_000;

interface Entry {
  value: string;
  expiresAt: number;
}

/** Ephemeral state in this process: for one-process installations. At most 100 000 entries. */
export function memoryEphemeral(clock: Clock = systemClock, maxEntries: number = MAX_ENTRIES): Ephemeral {
  return new MemoryEphemeral(clock, maxEntries);
}

// Async without await: a refusal must arrive as a rejection, as it does from the other adapter.
class MemoryEphemeral implements Ephemeral {
  private readonly entries = new Map<string, Entry>();
  private sweptAt: number;
  private closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly maxEntries: number,
  ) {
    this.sweptAt = clock.monotonicMs();
  }

  async get(key: string): Promise<string | undefined> {
    return this.live(key)?.value;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.refuseWhenClosed();
    this.write(key, value, ttlMs);
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    if (this.live(key) !== undefined) return false;
    this.write(key, value, ttlMs);
    return true;
  }

  async take(key: string): Promise<string | undefined> {
    const entry = this.live(key);
    this.entries.delete(key);
    return entry?.value;
  }

  async delete(key: string): Promise<void> {
    this.refuseWhenClosed();
    this.entries.delete(key);
  }

  state(): 'up' | 'down' {
    return this.closed ? 'down' : 'up';
  }

  async close(): Promise<void> {
    this.closed = true;
    this.entries.clear();
  }

  private live(key: string): Entry | undefined {
    this.refuseWhenClosed();
    const entry = this.entries.get(key);
    if (entry === undefined || entry.expiresAt > this.clock.monotonicMs()) return entry;
    this.entries.delete(key);
    return undefined;
  }

  private write(key: string, value: string, ttlMs: number): void {
    const expiresAt = this.clock.monotonicMs() + wholeTtl(ttlMs);
    this.makeRoom(key);
    this.entries.set(key, { value, expiresAt });
  }

  private makeRoom(key: string): void {
    const sinceSweep = this.clock.monotonicMs() - this.sweptAt;
    const full = this.isFullFor(key);
    if (sinceSweep >= (full ? SWEEP_AT_MOST_EVERY_MS : SWEEP_EVERY_MS)) this.sweep();
    if (full && this.isFullFor(key)) throw new Refusal('overloaded');
  }

  private isFullFor(key: string): boolean {
    return this.entries.size >= this.maxEntries && !this.entries.has(key);
  }

  private sweep(): void {
    const now = this.clock.monotonicMs();
    this.sweptAt = now;
    for (const [key, entry] of this.entries) {
      if (entry.expiresAt <= now) this.entries.delete(key);
    }
  }

  private refuseWhenClosed(): void {
    if (this.closed) throw new Refusal('service_unavailable');
  }
}
