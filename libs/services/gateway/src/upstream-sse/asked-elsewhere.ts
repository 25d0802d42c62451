import type { Ephemeral } from '@gatehouse/ephemeral';
import { Refusal, type AeadKey } from '@gatehouse/kernel';
import type { RequestId } from '@gatehouse/mcp';

/** Where the answer to a request of a server goes, and under which id the server waits for it. */
export interface AnswerAddress {
  readonly endpoint: string;
  readonly id: RequestId;
}

const KEY = 'gateway:sse-asked:';
const CONTEXT = 'mcp.sse-asked.v1:';
const ANSWER_WITHIN_MS = 600_000;

/**
 * Where answers go that arrive at another edge than the one that holds the connection: in the ephemeral store,
 * sealed, since the address is all that a message needs to be taken for the client's. While the store is down
 * only the edge that asked takes the answer.
 */
export class AskedElsewhere {
  constructor(
    private readonly ephemeral: Ephemeral,
    private readonly keys: () => readonly AeadKey[],
  ) {}

  /** Notes an address, before the question goes out. */
  note(name: string, address: AnswerAddress): void {
    const sealed = this.keys()[0]!.seal(Buffer.from(JSON.stringify(address)), CONTEXT + name);
    this.ephemeral.set(KEY + name, sealed, ANSWER_WITHIN_MS).catch(onlyDown);
  }

  /** The address, once. */
  async take(name: RequestId): Promise<AnswerAddress | undefined> {
    const sealed = (await this.ephemeral.take(KEY + String(name)).catch(onlyDown)) ?? '';
    for (const key of this.keys()) {
      const plain = key.open(sealed, CONTEXT + String(name));
      if (plain !== undefined) return JSON.parse(plain.toString('utf8')) as AnswerAddress;
    }
    return undefined;
  }
}

function onlyDown(error: unknown): undefined {
  if (error instanceof Refusal) return undefined;
  throw error;
}
