import { describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { Admission } from './admission.js';

const local = new Admission(new URL('https://gatehouse.example'), { host: '127.0.0.1', port: 8080 });
const open = new Admission(new URL('https://gatehouse.example:8443'), { host: '10.0.0.5', port: 8080 });

const verdict = (admission: Admission, host: string | undefined, origin?: string): string => {
  try {
    admission.check(host, origin);
    return 'passes';
  } catch (error) {
    return error instanceof Refusal ? `${error.code} ${String(error.details['header'])}` : String(error);
  }
};

describe('Admission', () => {
  it.each(['gatehouse.example', 'GATEHOUSE.example', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080'])('answers for the host %s', (host) => {
    expect(verdict(local, host)).toBe('passes');
  });

  it.each([undefined, '', 'evil.example', 'gatehouse.example.evil.example', 'gatehouse.example:8080', 'localhost', 'localhost:80', '127.0.0.1:8080@evil.example', 'gatehouse.example.', '169.254.169.254'])(
    'does not answer for the host %s, which rebinding would send (E-18)',
    (host) => {
      expect(verdict(local, host)).toBe('origin_denied host');
    },
  );

  it('lets what is no browser pass without an Origin', () => {
    expect(verdict(local, 'gatehouse.example')).toBe('passes');
  });

  it.each(['https://gatehouse.example', 'HTTPS://GATEHOUSE.EXAMPLE', 'http://localhost:8080'])('takes requests of its own pages from %s', (origin) => {
    expect(verdict(local, 'localhost:8080', origin)).toBe('passes');
  });

  it.each(['null', '', 'http://gatehouse.example', 'https://gatehouse.example.evil.example', 'https://evil-gatehouse.example', 'https://gatehouse.example:444', 'https://gatehouse.example/', 'http://localhost:8081', 'file://'])(
    'refuses the origin %p (E-18, E-25)',
    (origin) => {
      expect(verdict(local, 'gatehouse.example', origin)).toBe('origin_denied origin');
    },
  );

  it('knows nothing of loopback names when it listens elsewhere', () => {
    expect(verdict(open, '10.0.0.5:8080')).toBe('passes');
    expect(verdict(open, 'gatehouse.example:8443')).toBe('passes');
    expect(verdict(open, 'localhost:8080')).toBe('origin_denied host');
    expect(verdict(open, '10.0.0.5:8080', 'http://10.0.0.5:8080')).toBe('origin_denied origin');
  });
});
