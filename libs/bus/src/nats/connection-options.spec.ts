import { describe, expect, it } from '@jest/globals';
import { connectionOptions } from './connection-options.js';

const CA = '-----BEGIN CERTIFICATE-----';

describe('the connection to NATS', () => {
  it.each([
    ['nats://n:4222', undefined, undefined],
    ['nats://n:4222', CA, undefined],
    ['tls://n:4222', undefined, {}],
    ['tls://n:4222', CA, { ca: CA }],
  ])('%s with the authority %s is encrypted as its URL says', (url, ca, tls) => {
    expect(connectionOptions({ url, service: 'auth', ...(ca === undefined ? {} : { ca }) }).tls).toEqual(tls);
  });
});
