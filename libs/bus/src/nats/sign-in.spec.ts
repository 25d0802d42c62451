import { describe, expect, it } from '@jest/globals';
import { splitUrls } from './sign-in.js';

const read = (url: string) => {
  const { password, ...rest } = splitUrls(url);
  return { ...rest, password: password?.use((bytes) => bytes.toString()) };
};

describe('what a NATS URL says', () => {
  it('is a server when nobody signs in', () => {
    expect(read('nats://nats:4222')).toEqual({ servers: ['nats://nats:4222'], password: undefined });
  });

  it('is a user and a password beside the server', () => {
    expect(read('tls://vault:s%40cret%2F@nats:4222')).toEqual({ servers: ['tls://nats:4222'], user: 'vault', password: 's@cret/' });
  });

  it('may be several servers with one sign-in', () => {
    expect(read('nats://vault:pw@a:4222, nats://[::1]:4223')).toEqual({ servers: ['nats://a:4222', 'nats://[::1]:4223'], user: 'vault', password: 'pw' });
  });
});
