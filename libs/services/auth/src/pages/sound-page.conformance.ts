import type { Page } from '@gatehouse/testing';
import { expect } from '@jest/globals';
import { STYLE_HASH } from './style.js';

const count = (html: string, pattern: RegExp): number => [...html.matchAll(pattern)].length;
const all = (html: string, pattern: RegExp): string[] => [...html.matchAll(pattern)].map((match) => match[1]!);

/** Asserts what every page for people has and has not: one heading, a language, labelled controls, nothing from elsewhere, nothing that runs. */
export function expectSoundPage({ html, headers }: Page): void {
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect([count(html, /<h1>/g), count(html, /<main>/g), count(html, /<title>[^<]+ · Gatehouse<\/title>/g)]).toEqual([1, 1, 1]);
  expect(html).toContain('width=device-width, initial-scale=1');
  for (const label of all(html, /<button\b[^>]*>([\s\S]*?)<\/button>/g)) expect(label.trim()).not.toBe('');
  for (const type of all(html, /<input\b[^>]*\btype="([^"]*)"/g)) expect(['hidden', 'password']).toContain(type);
  for (const field of all(html, /<input\b[^>]*\bid="([^"]*)"/g)) expect(html).toContain(`<label for="${field}">`);
  for (const field of all(html, /(<input\b[^>]*\btype="password"[^>]*>)/g)) expect(field).toMatch(/\bid="[^"]+".*\bautocomplete="off"/);
  expect(count(html, /<input\b(?![^>]*\btype=)/g)).toBe(0);
  expect(html).not.toMatch(/<script|<iframe|<img|<object|<base|http-equiv|javascript:/i);
  expect(html).not.toMatch(/<[^>]*\s(?:on[a-z]+|style)\s*=/i);
  // The only way out is a link of an administrator's, which tells nobody where it was followed.
  const ours = html.replace(/<a href="https:[^"]*" rel="noreferrer">/g, '');
  expect(all(ours, /\s(?:src|href|action)="([^"]*)"/g).filter((to) => !/^(?:\/(?!\/)|data:image\/svg\+xml,)/.test(to))).toEqual([]);
  expect(count(html, /<style>/g)).toBe(1);
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'same-origin' });
  expect(headers['cache-control']).toContain('no-store');
  expect(headers['content-security-policy']).toBe(`default-src 'none'; style-src '${STYLE_HASH}'; img-src data:; base-uri 'none'; frame-ancestors 'none'`);
}
