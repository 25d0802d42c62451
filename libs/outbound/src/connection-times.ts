import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** How a connection came about; milliseconds, and when it was ready by `performance.now()`. */
export interface ConnectionTimes {
  readonly readyAt: number;
  /** Absent where the host is an address. */
  readonly dns: number | undefined;
  readonly connect: number;
  /** Absent without TLS. */
  readonly tls: number | undefined;
}

const known = new WeakMap<Socket, ConnectionTimes>();

/** Notes the times of one connection while it is made. */
export class ConnectionStages {
  readonly #began = performance.now();
  #lookedUp: number | undefined;
  #connected: number | undefined;

  /** `dialled` is what undici's connector returns, of which its types say nothing. */
  watch(dialled: unknown): void {
    if (!(dialled instanceof Socket)) return;
    dialled.once('lookup', () => (this.#lookedUp = performance.now()));
    dialled.once('connect', () => (this.#connected = performance.now()));
  }

  /** The connection can be used; to be told before undici hears of it, which sends at once. */
  ready(socket: Socket): void {
    const readyAt = performance.now();
    const [lookedUp, connected] = [this.#lookedUp, this.#connected ?? readyAt];
    known.set(socket, {
      readyAt,
      dns: lookedUp === undefined ? undefined : lookedUp - this.#began,
      connect: connected - (lookedUp ?? this.#began),
      tls: socket instanceof TLSSocket ? readyAt - connected : undefined,
    });
  }
}

/** The times of a connection; undefined where they are not known. */
export function timesOfConnection(socket: Socket): ConnectionTimes | undefined {
  return known.get(socket);
}
