import { directoryContracts } from '@gatehouse/contracts';
import { memoryEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import { Refusal } from '@gatehouse/kernel';
import { createLogger } from '@gatehouse/telemetry';
import { TestClock } from '@gatehouse/testing';
import { Neighbours } from '../neighbours.conformance.js';
import { DirectoryState, type DirectoryCaller } from '../snapshot/directory-state.js';
import { IssuerRequests } from './issuer-requests.js';
import type { PresentedToken, TokenUse } from './presented-token.js';
import { Resources } from './resources.js';
import { TokenCheck } from './token-check.js';

/** Where tokens of these specs are for. */
export const ORIGIN = 'http://gatehouse.test';
export const RESOURCE = `${ORIGIN}/mcp/tracker`;
export const USE: TokenUse = { resource: RESOURCE, method: 'POST', address: RESOURCE };

/** A check of tokens with everything around it but an edge. */
export class TokenDesk {
  readonly neighbours = new Neighbours();
  readonly clock = new TestClock(Date.now());
  readonly requests: IssuerRequests;
  readonly check: TokenCheck;
  readonly resources = new Resources(new URL(ORIGIN));
  state: DirectoryState | undefined;

  constructor({ ephemeral = memoryEphemeral(), limitMs }: { ephemeral?: Ephemeral; limitMs?: number } = {}) {
    const log = createLogger({ service: 'gateway', level: 'silent' });
    const { clock, resources } = this;
    this.requests = new IssuerRequests({ bus: this.neighbours.bus('gateway'), clock, log, reached: async () => (this.publish(), true) });
    const directory = (): DirectoryState => {
      if (this.state === undefined) throw new Refusal('directory_stale');
      return this.state;
    };
    this.check = new TokenCheck({ clock, log, resources, ephemeral, directory, requests: this.requests, ...(limitMs === undefined ? {} : { limitMs }) });
  }

  /** Puts what the neighbours say in force. */
  publish(): void {
    this.state = new DirectoryState(directoryContracts.directory.parse(JSON.parse(this.neighbours.directoryText())));
  }

  /** Presents a token; who calls, or the code of the refusal. */
  async ask(text: string, use: TokenUse = USE, more: Partial<PresentedToken> = {}): Promise<DirectoryCaller | string> {
    try {
      return await this.check.callerOf({ scheme: 'bearer', proof: undefined, text, ...more }, use);
    } catch (error) {
      return error instanceof Refusal ? error.code : `no refusal: ${String(error)}`;
    }
  }

  /** The same, as one word: the account's name or the code. */
  async name(text: string, use: TokenUse = USE, more: Partial<PresentedToken> = {}): Promise<string> {
    const answer = await this.ask(text, use, more);
    return typeof answer === 'string' ? answer : answer.account.name;
  }
}
