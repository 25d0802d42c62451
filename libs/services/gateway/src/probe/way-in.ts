import type { Bus } from '@gatehouse/bus';
import { identityContracts, type serverContracts } from '@gatehouse/contracts';
import { asRefusalOrFault, errorRow } from '@gatehouse/kernel';

type Health = serverContracts.Server['health'];

/** What finding out how to sign in came to, as health carries it. */
export type WayIn = Pick<Health, 'steps' | 'verdict' | 'advice'>;

/** Nothing was to be found out: what was found before stays. */
export const NOTHING_TO_FIND: WayIn = { steps: [], verdict: null, advice: null };

const ADVICE_CHARS = 600;

/** The server answers whoever asks. */
export function openDoor(url: string): WayIn {
  return { steps: [{ step: 'request', outcome: 'ok', url, detail: 'The server answered without an account.' }], verdict: 'open', advice: null };
}

/** What a server answered that wants to know who calls. */
export interface Challenge {
  readonly url: string;
  readonly status: number;
  /** Its `WWW-Authenticate`, cut. */
  readonly challenge: string | null;
}

/**
 * Has auth find out how to sign in at a server that asked for an account, and tells it hop by hop, our
 * own request first. What goes wrong on the way is told as well, never thrown.
 */
export async function findWayIn(serverId: string, { url, status, challenge }: Challenge, anew: boolean, bus: Bus): Promise<WayIn> {
  const asked = { step: 'request', outcome: 'ok', url, detail: `The server answered ${status} and asks for an account.` } as const;
  try {
    const found = await bus.request(identityContracts.discoverUpstream, { serverId, challenge, anew });
    // Auth tells of the same answer once more, as it understood it.
    const hops = found.steps.filter(({ step }) => step !== 'request');
    return { steps: [asked, ...hops].slice(0, 30), verdict: found.verdict, advice: adviceOf(found) };
  } catch (error) {
    const detail = `How to sign in there could not be found out: ${errorRow(asRefusalOrFault(error).code).sentence}`;
    return { steps: [asked, { step: 'resource_metadata', outcome: 'failed', url: null, detail }], verdict: 'failed', advice: null };
  }
}

// Who registers a client by hand needs the address to enter, where the advice does not say it.
function adviceOf({ verdict, advice, callbackUrl }: { verdict: string; advice: string | null; callbackUrl: string }): string | null {
  const told = advice === null || verdict !== 'client' || advice.includes(callbackUrl) ? advice : `${advice} Callback address: ${callbackUrl}`;
  return told === null || told.length > ADVICE_CHARS ? advice : told;
}
