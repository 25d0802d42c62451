import { z } from 'zod';

/** A whole number in decimal digits, within bounds. */
export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^-?\d{1,16}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

/** `on` or `off`, as a boolean. */
export function onOff() {
  return z.enum(['on', 'off'], { error: 'must be on or off' }).transform((text) => text === 'on');
}

/** One of several words. */
export function oneOf<const W extends readonly [string, ...string[]]>(words: W) {
  return z.enum(words, { error: `must be one of ${words.join(', ')}` });
}

/** An http or https URL with nothing in it that does not belong to an address: no user, no fragment. */
export function httpUrl() {
  return z.string().refine((text) => {
    const url = parseUrl(text);
    return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.hash === '';
  }, 'must be an http or https URL');
}

/** A URL with one of the given schemes (`nats`), which may hold a user and a password. */
export function urlOf(...schemes: string[]) {
  const message = `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return z.string().refine((text) => {
    const url = parseUrl(text);
    return url !== undefined && schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== '';
  }, message);
}

/** `host:port` to listen on; IPv6 in brackets; port 0 lets the system choose. */
export function listenAddress() {
  return z.string().refine((text) => parseListen(text) !== undefined, 'must be host:port, for example 127.0.0.1:8080');
}

/** Splits `host:port`; undefined when it is not one. The host comes without brackets. */
export function parseListen(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match === null || port > 65_535 ? undefined : { host: match[1] ?? match[2]!, port };
}

/** Whether a URL's host is this machine, the only one to which plain http and simple passwords are let through. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** The parsed URL, or undefined. */
export function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
