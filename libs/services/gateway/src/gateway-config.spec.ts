import { describe, expect, it } from '@jest/globals';
import { ConfigError, defineConfig, loadConfig } from '@gatehouse/config';
import { authUrlField, gatewaySettings } from './gateway-config.js';

const schema = defineConfig({ authUrl: authUrlField });
const loaded = (text: string | undefined): string => {
  try {
    return loadConfig(schema, text === undefined ? {} : { GATEHOUSE_AUTH_URL: text }).authUrl;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return 'refused';
  }
};

describe('GATEHOUSE_AUTH_URL', () => {
  it.each(['https://auth.internal', 'https://auth.internal:8443', 'http://127.0.0.1:8081', 'http://localhost:8081', 'http://[::1]:8081', 'https://10.0.0.7:8443/'])('may be %s', (url) => {
    expect(loaded(url)).toBe(url);
  });

  it.each([undefined, '', 'auth', 'http://auth.internal:8081', 'http://10.0.0.7:8081', 'ftp://localhost', 'https://auth.internal/path', 'https://auth.internal/?x=1', 'https://user@auth.internal', 'https://auth.internal/#x'])('may not be %s', (url) => {
    expect(loaded(url)).toBe('refused');
  });

  it('leads to a port that no server may be registered at', () => {
    const timing = { policyMaxAgeMs: 1, upstreamHeadMs: 1, upstreamSilenceMs: 1 };
    const settings = gatewaySettings({ ...timing, listen: '127.0.0.1:8080', metricsListen: '127.0.0.1:9464', spoolDir: '/x', ownUrls: ['nats://a'], trustedCas: [], authUrl: 'http://127.0.0.1:8081' });
    expect([settings.authUrl?.port, [...settings.ownPorts].sort()]).toEqual(['8081', [4222, 8080, 8081, 9464]]);
  });
});
