import { describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { requireCanonicalUri } from './resource-uri.js';

function problem(uri: string): unknown {
  try {
    requireCanonicalUri(uri);
    return 'canonical';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.code).toBe('bad_params');
    return error.details['problem'];
  }
}

describe('requireCanonicalUri', () => {
  it.each([
    'file:///home/user/notes.txt', 'file:///C:/Users/a', 'file:///a/.hidden/..name/x...y', 'file:///my%20doc', 'file:///a%2Fb', 'file:///Müller',
    'https://example.com/a?b=c#d', 'https://example.com:8443/', 'http://[::1]:3000/a', 'note://MyNotes/Today', 'urn:isbn:0451450523', 'postgres://db/table',
    'screen://localhost/1', 'gatehouse://demo/file%3A%2F%2F%2Fa', 'note://{id}/{+path}', 'https://example.com/{id}', 'ui://a@b'.replace('@', '/'),
  ])('lets %s pass', (uri) => {
    expect(problem(uri)).toBe('canonical');
  });

  it.each<[string, string]>([
    ['notes.txt', 'scheme'], ['', 'scheme'], ['//host/a', 'scheme'], ['FILE:///a', 'scheme'], ['File:///a', 'scheme'], ['hTTps://example.com/', 'scheme'],
    ['file:///a/../b', 'dot_segment'], ['file:///a/..', 'dot_segment'], ['file:///./a', 'dot_segment'], ['file:../a', 'dot_segment'],
    ['file:///a/..?x', 'dot_segment'], ['file:///a%2f..%2Fb', 'dot_segment'], ['file:///a/..;/b', 'dot_segment'], ['note://../x', 'dot_segment'],
    ['file:///a/%2e%2e/b', 'encoded_character'], ['file:///a/%2E./b', 'encoded_character'], ['file:///a/%252e%252e/b', 'encoded_character'],
    ['file:///%73ecret', 'encoded_character'], ['file:///a%5Fb', 'encoded_character'], ['file:///%41', 'encoded_character'],
    ['https://user@example.com/', 'user_information'], ['https://user:pw@example.com/', 'user_information'], ['note://a@b/c', 'user_information'],
    ['file:///a\\..\\b', 'character'], ['file:///a\nb', 'character'], ['file:///a\tb', 'character'], ['file:///a\0', 'character'],
    ['file:///a\u200bb', 'character'], ['file:///a\u202eb', 'character'], ['file:///a\u2028b', 'character'], ['file:///a\u0085', 'character'],
    ['https://Example.com/', 'host'], ['https://example.com:443/', 'host'], ['http://0x7f.1/', 'host'], ['https:example.com', 'host'],
    ['https:///example.com/', 'host'], ['file:/etc/passwd', 'host'], ['file://localhost/etc', 'host'], ['https://ex%41mple.com/', 'encoded_character'],
    ['https://example.com%00/', 'host'], ['https://Müller.example/', 'host'],
  ])('refuses %j: %s', (uri, reason) => {
    expect(problem(uri)).toBe(reason);
  });
});
