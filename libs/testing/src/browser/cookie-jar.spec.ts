import { describe, expect, it } from '@jest/globals';
import { TestClock } from '../test-clock.js';
import { CookieJar } from './cookie-jar.js';

const HTTPS = new URL('https://gate.example/login/start');
const HTTP = new URL('http://127.0.0.1:8080/login/start');

const sent = (setCookie: string[], from: URL, to: string): string | undefined => {
  const jar = new CookieJar(new TestClock());
  jar.keep(setCookie, from);
  return jar.header(new URL(to, from));
};

describe('the cookie jar', () => {
  it.each([
    ['the default path is the folder of the request', 'a=1', '/login/callback', 'a=1'],
    ['the default path does not reach up', 'a=1', '/', undefined],
    ['a path covers what is below it', 'a=1; Path=/login', '/login/x', 'a=1'],
    ['a path covers itself', 'a=1; Path=/login', '/login', 'a=1'],
    ['a path ends at a slash', 'a=1; Path=/login', '/loginx', undefined],
    ['a path that is none is ignored', 'a=1; Path=login', '/login/x', 'a=1'],
    ['a cookie with Max-Age=0 is not kept', 'a=1; Path=/; Max-Age=0', '/', undefined],
    ['a cookie that expired is not kept', 'a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT', '/', undefined],
    ['Max-Age wins over Expires', 'a=1; Path=/; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT', '/', 'a=1'],
    ['__Host- with Secure and Path=/ is kept', '__Host-a=1; Secure; Path=/', '/', '__Host-a=1'],
    ['__Host- without Secure is dropped', '__Host-a=1; Path=/', '/', undefined],
    ['__Host- with another path is dropped', '__Host-a=1; Secure; Path=/login', '/login', undefined],
    ['__Host- without a path is dropped', '__Host-a=1; Secure', '/login/x', undefined],
    ['__Host- with a domain is dropped', '__Host-a=1; Secure; Path=/; Domain=gate.example', '/', undefined],
    ['the prefix counts in any case', '__host-a=1; Path=/', '/', undefined],
    ['__Secure- without Secure is dropped', '__Secure-a=1; Path=/', '/', undefined],
    ['a cookie without a name is dropped', '=1; Path=/', '/', undefined],
    ['a domain of somebody else is dropped', 'a=1; Path=/; Domain=evil.example', '/', undefined],
    ['a public suffix is dropped', 'a=1; Path=/; Domain=example', '/', undefined],
    ['a value keeps its equals signs', 'a=b=c; Path=/', '/', 'a=b=c'],
  ])('%s', (_name, header, path, expected) => {
    expect(sent([header], HTTPS, path)).toBe(expected);
  });

  it('keeps a host-only cookie from other hosts and gives a domain cookie to those below', () => {
    expect(sent(['a=1; Path=/'], HTTPS, 'https://sub.gate.example/')).toBeUndefined();
    expect(sent(['a=1; Path=/; Domain=.gate.example'], HTTPS, 'https://sub.gate.example/')).toBe('a=1');
    expect(sent(['a=1; Path=/; Domain=gate.example'], HTTPS, 'https://evilgate.example/')).toBeUndefined();
  });

  it('shares cookies between the ports of a host', () => {
    expect(sent(['a=1; Path=/'], HTTP, 'http://127.0.0.1:9090/')).toBe('a=1');
  });

  it('neither takes a Secure cookie over http nor sends one', () => {
    expect(sent(['a=1; Path=/; Secure'], HTTP, '/')).toBeUndefined();
    expect(sent(['a=1; Path=/; Secure'], HTTPS, 'http://gate.example/')).toBeUndefined();
  });

  it('does not let plain http replace a Secure cookie', () => {
    const jar = new CookieJar(new TestClock());
    jar.keep(['a=good; Path=/; Secure'], HTTPS);
    jar.keep(['a=bad; Path=/'], new URL('http://gate.example/'));
    expect(jar.header(HTTPS)).toBe('a=good');
  });

  it('sends the longest path first, replaces a cookie of the same path and forgets it in time', () => {
    const clock = new TestClock();
    const jar = new CookieJar(clock);
    jar.keep(['a=1; Path=/', 'b=2; Path=/login; Max-Age=60', 'a=3; Path=/'], HTTPS);
    expect(jar.header(HTTPS)).toBe('b=2; a=3');
    clock.advance(60_001);
    expect(jar.header(HTTPS)).toBe('a=3');
  });

  it('keeps SameSite and HttpOnly to be looked at, and removes by a date in the past', () => {
    const jar = new CookieJar(new TestClock());
    jar.keep(['a=1; Path=/; SameSite=Lax; HttpOnly'], HTTPS);
    expect(jar.named('a')).toMatchObject([{ sameSite: 'Lax', httpOnly: true, hostOnly: true }]);
    jar.keep(['a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], HTTPS);
    expect(jar.all()).toEqual([]);
  });
});
