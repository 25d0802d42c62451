import { describe, expect, it } from '@jest/globals';
import { newKey, NOW, opened, sampleSession } from './sample-session.conformance.js';
import { openEventId, openSession, sealEventId, sealSession, sessionDigest } from './session.js';

const key = newKey('key_1');
const session = sampleSession();
const id = sealSession(session, [key]);

describe('session ids', () => {
  it('open to what was sealed, under the key that sealed them or a later one', () => {
    expect(openSession(id, [key], NOW)).toEqual({ ...session, id, digest: sessionDigest(id) });
    expect(openSession(id, [newKey('key_2'), key], NOW)).toMatchObject({ callerId: session.callerId });
  });

  it('say nothing about the session and are never the same twice', () => {
    expect(Buffer.from(id, 'base64url').includes(session.callerId)).toBe(false);
    expect(sealSession(session, [key])).not.toBe(id);
    expect(sessionDigest(id)).toMatch(/^[\w-]{22}$/);
  });

  it('do not open when any byte is flipped (E-43)', () => {
    const bytes = Buffer.from(id, 'base64url');
    const survivors = [...bytes.keys()].filter((at) => {
      const forged = Buffer.from(bytes);
      forged[at]! ^= 1 << (at % 8);
      return openSession(forged.toString('base64url'), [key], NOW) !== undefined;
    });
    expect(survivors).toEqual([]);
  });

  it('do not open when cut or lengthened anywhere', () => {
    for (let length = 0; length < id.length; length++) expect(openSession(id.slice(0, length), [key], NOW)).toBeUndefined();
    for (const more of ['A', '=', ' ', '\n', '.']) expect(openSession(id + more, [key], NOW)).toBeUndefined();
  });

  it('have one spelling', () => {
    const standard = Buffer.from(id, 'base64url').toString('base64');
    expect(openSession(standard === id ? `${id}=` : standard, [key], NOW)).toBeUndefined();
  });

  it('do not open under a retired key, and not when they are plain text (E-43)', () => {
    expect(openSession(id, [newKey('key_2')], NOW)).toBeUndefined();
    expect(openSession(id, [], NOW)).toBeUndefined();
    const forged = { ...session, upstreamId: 'http://169.254.169.254/', callerId: 'per_attacker' };
    for (const text of [JSON.stringify(forged), Buffer.from(JSON.stringify(forged)).toString('base64url'), '', 'null', '{}', '../..']) {
      expect(openSession(text, [key], NOW)).toBeUndefined();
    }
  });

  it('end at their time to the millisecond', () => {
    expect(openSession(id, [key], session.expiresAt - 1)).toBeDefined();
    expect(openSession(id, [key], session.expiresAt)).toBeUndefined();
  });

  it('do not open what was sealed for something else', () => {
    const own = opened(key);
    expect(openSession(sealEventId('17', own, [key]), [key], NOW)).toBeUndefined();
    expect(openSession(key.seal(Buffer.from(JSON.stringify(session)), 'another.context'), [key], NOW)).toBeUndefined();
  });
});

describe('event ids', () => {
  const own = opened(key);
  const sealed = sealEventId('upstream-event-17', own, [key]);

  it('open in the session they were sealed for', () => {
    expect(openEventId(sealed, own, [newKey('key_2'), key])).toBe('upstream-event-17');
    expect(openEventId(sealEventId('\u00e9\n', own, [key]), own, [key])).toBe('\u00e9\n');
  });

  it('open to nothing in any other session, of the same person too (E-44)', () => {
    expect(openEventId(sealed, opened(key), [key])).toBeUndefined();
    expect(openEventId(sealed, opened(key, { callerId: own.callerId, tokenId: own.tokenId, serverId: own.serverId }), [key])).toBeUndefined();
  });

  it('do not open when they are the upstream id itself, a session id, or changed', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[bytes.length - 1]! ^= 1;
    for (const text of ['upstream-event-17', own.id, '', bytes.toString('base64url')]) expect(openEventId(text, own, [key])).toBeUndefined();
  });
});
