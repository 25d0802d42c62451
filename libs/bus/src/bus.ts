import type { EventContract, RequestContract } from '@gatehouse/contracts';
import type { JsonValue } from '@gatehouse/kernel';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { z } from 'zod';

/** DI token under which a service's module provides its bus. */
export const BUS: unique symbol = Symbol('BUS');

/** What one service instance says to and hears from the others. */
export interface Bus {
  readonly events: EventLog;
  /**
   * Asks the owner of the contract. Input and reply are validated on both sides; what travels is
   * the parsed value, so schemas must accept their own output.
   *
   * Refuses with what the handler refused; `bad_params` when the input does not fit;
   * `too_large` over 1 MiB; `service_unavailable` when nobody answers to it or the bus is down;
   * `service_timeout` after the contract's time; `internal` with an id when the handler failed.
   * A Fault when this service is not among the contract's callers or the reply does not fit.
   */
  request<C extends RequestContract>(contract: C, input: z.input<C['request']>): Promise<z.output<C['reply']>>;
  /** A fresh Nest strategy for `NestFactory.createMicroservice(Module, { strategy })` of this service. */
  strategy(): CustomTransportStrategy;
  /** Whether the bus can be reached now, for readiness. */
  state(): 'up' | 'down';
  /** Ends subscriptions, lets running handlers finish (five seconds at most), then disconnects. */
  close(): Promise<void>;
}

/** Facts that services announce; kept for 24 hours. At least once: handlers must bear repeats. */
export interface EventLog {
  /**
   * Resolves once the event is stored. The same `dedupId` within ten minutes is stored once.
   * Refuses with `service_unavailable` when it could not be stored (repeat with the same id).
   * A Fault when this service does not own the event or the payload does not fit.
   */
  publish<E extends EventContract>(event: E, payload: z.input<E['payload']>, dedupId: string): Promise<void>;
  /** For outbox relays: the payload was validated when it was written. The subject must begin with `evt.v1.`. */
  publishRaw(subject: string, payload: JsonValue, dedupId: string): Promise<void>;
  /** Every instance gets every event from now on, in order, one at a time; a handler that throws is logged. */
  follow<E extends EventContract>(event: E, handler: FollowHandler<E>): Promise<Subscription>;
  /**
   * Instances of this service that name the same durable compete: each event goes to one of them, one
   * at a time, including events stored while none was there. Acknowledged when the handler resolves;
   * delivered again after a delay when it throws; dropped after ten deliveries, and told to `onPoison`.
   */
  consume<E extends EventContract>(event: E, durable: string, handler: ConsumeHandler<E>): Promise<Subscription>;
}

/** Hears an event; may be slow, the next one waits. */
export type FollowHandler<E extends EventContract> = (payload: z.output<E['payload']>) => void | Promise<void>;

/** Does the work of an event; resolving means it is done. */
export type ConsumeHandler<E extends EventContract> = (payload: z.output<E['payload']>) => Promise<void>;

/** A running `follow` or `consume`. */
export interface Subscription {
  /** Takes no further events; resolves when the running handler has finished. Safe to call twice. */
  close(): Promise<void>;
}

/** Where the bus reports what nobody waits for; fits a pino logger. */
export interface BusLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** An event that no instance could handle and that was dropped. */
export interface Poison {
  readonly subject: string;
  readonly durable: string;
  readonly deliveries: number;
  readonly error: unknown;
}

/** What both adapters can be given. */
export interface BusOptions {
  /** Silent without it. */
  log?: BusLog;
  /** Counts dropped events. */
  onPoison?: (poison: Poison) => void;
  /** Milliseconds before delivery `attempt + 1`; by default 1 s doubling up to 1 min. */
  retryDelayMs?: (attempt: number) => number;
}
