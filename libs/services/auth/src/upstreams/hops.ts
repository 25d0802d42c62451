import type { upstreamContracts } from '@gatehouse/contracts';

type Step = upstreamContracts.AuthStep['step'];

const MOST = 30;
const MOST_CHARS = 500;
const URL_CHARS = 2_048;

/** The story of a discovery, hop by hop, for people. */
export class Hops {
  readonly steps: upstreamContracts.AuthStep[] = [];

  /** It worked. */
  ok(step: Step, url: string | null, detail: string): void {
    this.add({ step, outcome: 'ok', url, detail });
  }

  /** It did not work, and the story ends here or goes another way. */
  failed(step: Step, url: string | null, detail: string): void {
    this.add({ step, outcome: 'failed', url, detail });
  }

  /** It was not there, or not needed. */
  skipped(step: Step, url: string | null, detail: string): void {
    this.add({ step, outcome: 'skipped', url, detail });
  }

  private add(hop: upstreamContracts.AuthStep): void {
    if (this.steps.length >= MOST) return;
    this.steps.push({ ...hop, url: hop.url === null ? null : hop.url.slice(0, URL_CHARS), detail: hop.detail.slice(0, MOST_CHARS) });
  }
}

/** Finding out how to sign in ended without an answer: the last hop says why. */
export class DiscoveryFailed extends Error {
  override readonly name = 'DiscoveryFailed';

  constructor(
    /** One sentence of ours. */
    readonly problem: string,
    /** What an administrator can do; undefined when only waiting helps. */
    readonly advice?: string,
  ) {
    super(problem);
  }
}
