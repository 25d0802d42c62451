import { systemClock, type Clock } from '@gatehouse/kernel';
import { parseSetCookie, type Cookie } from './set-cookie.js';

/** The cookies of one person's browser: host, path, Secure and expiry decide which go where. */
export class CookieJar {
  private cookies: Cookie[] = [];

  constructor(private readonly clock: Clock = systemClock) {}

  /** Keeps what an answer from this URL sets; a cookie in the past removes its older self. */
  keep(setCookie: readonly string[], from: URL): void {
    for (const header of setCookie) {
      const cookie = parseSetCookie(header, from, this.clock.now());
      if (cookie !== undefined) this.put(cookie, from);
    }
  }

  /** The `Cookie` header for a request to this URL, longest path first; undefined when there is none. */
  header(to: URL): string | undefined {
    const sent = this.for(to).map(({ name, value }) => `${name}=${value}`);
    return sent.length === 0 ? undefined : sent.join('; ');
  }

  /** The cookies that a request to this URL would carry. */
  for(to: URL): Cookie[] {
    return this.all()
      .filter((cookie) => isForHost(cookie, to.hostname) && isForPath(cookie, to.pathname) && (!cookie.secure || to.protocol === 'https:'))
      .sort((a, b) => b.path.length - a.path.length);
  }

  /** Every cookie that has not expired. */
  all(): Cookie[] {
    return this.cookies.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > this.clock.now());
  }

  /** The cookies of this name, on whatever host and path. */
  named(name: string): Cookie[] {
    return this.all().filter((cookie) => cookie.name === name);
  }

  /** Puts a cookie as an attacker on the person's machine could: no rule is checked. */
  plant(cookie: Cookie): void {
    this.cookies = this.cookies.filter((old) => !isSame(old, cookie)).concat(cookie);
  }

  /** Forgets the cookies of this name, or all of them. */
  clear(name?: string): void {
    this.cookies = name === undefined ? [] : this.cookies.filter((cookie) => cookie.name !== name);
  }

  private put(cookie: Cookie, from: URL): void {
    // RFC 6265bis section 5.7 step 11: plain http may not push a Secure cookie out of the jar.
    const isShadowing = (old: Cookie): boolean => old.secure && old.name === cookie.name && isForHost(old, cookie.domain);
    if (from.protocol !== 'https:' && this.all().some(isShadowing)) return;
    this.plant(cookie);
  }
}

function isSame(a: Cookie, b: Cookie): boolean {
  return a.name === b.name && a.domain === b.domain && a.path === b.path && a.hostOnly === b.hostOnly;
}

function isForHost(cookie: Cookie, host: string): boolean {
  return cookie.domain === host || (!cookie.hostOnly && host.endsWith(`.${cookie.domain}`));
}

function isForPath(cookie: Cookie, path: string): boolean {
  if (!path.startsWith(cookie.path)) return false;
  return path.length === cookie.path.length || cookie.path.endsWith('/') || path[cookie.path.length] === '/';
}
