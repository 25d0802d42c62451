import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { calculateJwkThumbprint } from 'jose';
import { AUTHENTICATION_STEPS } from './authentication-steps.js';
import type { PresentedToken } from './presented-token.js';
import { RESOURCE, TokenDesk, USE } from './token-desk.conformance.js';
import { claimsFor, headerFor, listed, newMintKey, proofParts, signed } from './token-mint.conformance.js';

type Step = (...given: never[]) => unknown;

const steps = AUTHENTICATION_STEPS as unknown as Record<string, Step>;
const original = { ...steps };
const key = newMintKey('key_at');
const holder = newMintKey('holder');
const SHORT_MS = 1_500;

/** Ways in which a step can fail; where it waits, it may wait forever. */
const FAULTS: Readonly<Record<string, (step: Step) => Step>> = {
  'throws an error': () => () => {
    throw new TypeError('cannot read properties of undefined');
  },
  'throws something that is no error': () => () => {
    throw 'text';
  },
  'throws nothing': () => () => {
    throw undefined;
  },
  'refuses with another code': () => () => {
    throw new Refusal('not_found');
  },
  'does not come to an end, or throws where it cannot wait': (step) => (...given) => {
    const result = step(...given);
    if (result instanceof Promise) return result.then(() => new Promise(() => undefined));
    throw new RangeError('out of time');
  },
};

describe.each(Object.keys(steps))('when the step %s of finding out who calls', (name) => {
  let desk: TokenDesk;
  let ways: Record<string, () => Partial<PresentedToken> & { text: string }>;

  beforeEach(async () => {
    desk = new TokenDesk({ limitMs: SHORT_MS });
    const ada = desk.neighbours.addCaller('ada');
    const pat = desk.neighbours.addToken('ada');
    desk.neighbours.keys.push(listed(key));
    desk.publish();
    const minted = (more = {}): string => signed(headerFor(key), claimsFor(ada, RESOURCE, more), key);
    const cnf = { jkt: await calculateJwkThumbprint(holder.publicKey.export({ format: 'jwk' }) as never) };
    const [seen, bound] = [minted(), minted({ cnf })];
    expect(await desk.name(seen)).toBe('ada');
    const proof = (): string => {
      const { header, claims } = proofParts(bound, holder, { htu: RESOURCE });
      return signed(header, claims, holder);
    };
    ways = {
      'a personal access token': () => ({ text: pat }),
      'an access token': () => ({ text: minted() }),
      'an access token seen before': () => ({ text: seen }),
      'a bound access token': () => ({ text: bound, scheme: 'dpop', proof: proof() }),
    };
  });

  afterEach(async () => {
    Object.assign(steps, original);
    await desk.neighbours.close();
  });

  const outcomes = async (): Promise<Record<string, string>> => {
    const found: Record<string, string> = {};
    for (const [way, present] of Object.entries(ways)) {
      const { text, ...more } = present();
      found[way] = await desk.name(text, USE, more);
    }
    return found;
  };

  it.each(Object.keys(FAULTS))('%s, whoever needs it is refused and nobody is taken for somebody', async (fault) => {
    expect(Object.values(await outcomes())).toEqual(['ada', 'ada', 'ada', 'ada']);
    let asked = 0;
    steps[name] = (...given) => {
      asked += 1;
      return FAULTS[fault]!(original[name]!)(...given);
    };
    for (const [way, outcome] of Object.entries(await reached(() => asked))) expect([way, outcome]).toEqual([way, expect.stringMatching(/^(unauthenticated|service_unavailable)$/)]);
    expect(asked).toBeGreaterThan(0);
  });

  // Those ways alone that come to the step.
  const reached = async (asked: () => number): Promise<Record<string, string>> => {
    const found: Record<string, string> = {};
    for (const [way, present] of Object.entries(ways)) {
      const before = asked();
      const { text, ...more } = present();
      const outcome = await desk.name(text, USE, more);
      if (asked() > before) found[way] = outcome;
      else expect([way, outcome]).toEqual([way, 'ada']);
    }
    return found;
  };
});
