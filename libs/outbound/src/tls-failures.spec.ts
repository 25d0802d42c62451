import { once } from 'node:events';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer as createSocketServer, type AddressInfo, type Server as SocketServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Refusal } from '@gatehouse/kernel';
import { TestAuthority, type CertificateWish, type TestCertificate } from '@gatehouse/testing';
import { failureOf } from './failure.js';
import { Outbound } from './outbound.js';

const SMALL = { method: 'POST', headers: {}, maxBytes: 1_000, timeoutMs: 5_000 } as const;
const DAY = 86_400_000;
const NAMES = { names: ['mcp.example'] };
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function listening(server: Server | SocketServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const answer: RequestListener = (_request, response) => void response.end('tls');
const secure = (certificate: TestCertificate): Promise<number> => listening(createServer(certificate, answer));

function outbound(): Outbound {
  const made = new Outbound({ resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
  open.push(() => made.close());
  return made;
}

/** The body, or why there is none. */
async function ask(port: number, caCertificate?: string, through = outbound()): Promise<string> {
  const destination = through.destination(`https://mcp.example:${port}/`, { allowPrivateNetwork: true, caCertificate });
  const refused = ({ code, details }: Refusal): string => `${code} ${String(details['reason'])}`;
  return destination.fetchSmall(SMALL).then(({ body }) => body.toString(), refused);
}

describe('a certificate that is not accepted is named', () => {
  const wishes: [string, Partial<CertificateWish>][] = [
    ['tls_expired', { notBefore: new Date(Date.now() - 3 * DAY), notAfter: new Date(Date.now() - DAY) }],
    ['tls_not_yet_valid', { notBefore: new Date(Date.now() + DAY), notAfter: new Date(Date.now() + 3 * DAY) }],
    ['tls_wrong_host', { names: ['other.example'] }],
  ];
  it.each(wishes)('%s', async (reason, wish) => {
    const authority = new TestAuthority();
    const port = await secure(authority.issue({ ...NAMES, ...wish }));
    expect(await ask(port, authority.certificate)).toBe(`upstream_unreachable ${reason}`);
  });

  it('tls_self_signed', async () => {
    expect(await ask(await secure(TestAuthority.selfSigned(NAMES)))).toBe('upstream_unreachable tls_self_signed');
  });

  it('tls_unknown_authority, when the authority itself or one between is sent along', async () => {
    const root = new TestAuthority();
    const between = new TestAuthority(root);
    const [own, other] = [root.issue(NAMES), between.issue(NAMES)];
    const ports = [await secure({ ...own, cert: own.cert + root.certificate }), await secure({ ...other, cert: other.cert + between.certificate })];
    for (const port of ports) expect(await ask(port)).toBe('upstream_unreachable tls_unknown_authority');
  });

  it('tls_broken_chain, when the server leaves out the certificate between', async () => {
    const root = new TestAuthority();
    const port = await secure(new TestAuthority(root).issue(NAMES));
    expect(await ask(port, root.certificate)).toBe('upstream_unreachable tls_broken_chain');
  });

  it('tls_protocol, when what listens speaks no TLS or hangs up', async () => {
    const plain = await listening(createPlainServer(answer));
    const rude = await listening(createSocketServer((socket) => void socket.once('data', () => socket.end())));
    for (const port of [plain, rude]) expect(await ask(port)).toBe('upstream_unreachable tls_protocol');
  });

  it.each([
    ['CERT_SIGNATURE_FAILURE', 'tls_broken_chain'],
    ['INVALID_CA', 'tls_broken_chain'],
    ['HOSTNAME_MISMATCH', 'tls_wrong_host'],
    ['CERT_UNTRUSTED', 'tls_unknown_authority'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls_protocol'],
  ])('%s is %s', (code, reason) => {
    expect(failureOf(Object.assign(new Error('x'), { code })).details).toEqual({ reason });
  });
});

describe('certificates given for one server', () => {
  it('are an authority, one between, or the self-signed certificate itself', async () => {
    const root = new TestAuthority();
    const between = new TestAuthority(root);
    const own = TestAuthority.selfSigned(NAMES);
    expect(await ask(await secure(root.issue(NAMES)), root.certificate)).toBe('tls');
    expect(await ask(await secure(between.issue(NAMES)), between.certificate + root.certificate)).toBe('tls');
    expect(await ask(await secure(own), own.cert)).toBe('tls');
  });

  it('say nothing for another server at the same address, before or after', async () => {
    const authority = new TestAuthority();
    const port = await secure(authority.issue(NAMES));
    const shared = outbound();
    const asked = [await ask(port, undefined, shared), await ask(port, authority.certificate, shared), await ask(port, undefined, shared), await ask(port, new TestAuthority().certificate, shared)];
    expect(asked).toEqual(['upstream_unreachable tls_broken_chain', 'tls', 'upstream_unreachable tls_broken_chain', 'upstream_unreachable tls_broken_chain']);
  });

  it('do not excuse another host name', async () => {
    const authority = new TestAuthority();
    const port = await secure(authority.issue({ names: ['other.example'] }));
    expect(await ask(port, authority.certificate)).toBe('upstream_unreachable tls_wrong_host');
  });
});

describe('certificates trusted everywhere', () => {
  it('reach a private server', async () => {
    const authority = new TestAuthority();
    const port = await secure(authority.issue(NAMES));
    const trusting = new Outbound({ resolve: async () => [{ address: '127.0.0.1', family: 4 }], trustedCas: [authority.certificate] });
    open.push(() => trusting.close());
    expect(await ask(port, undefined, trusting)).toBe('tls');
  });
});

describe('connections that are to be forgotten', () => {
  it('end when what they carry is done, and the next request has a new one', async () => {
    const sockets = new Set<unknown>();
    const port = await listening(createPlainServer((request, response) => void (sockets.add(request.socket), setTimeout(() => response.end('done'), 30))));
    const destination = outbound().destination(`http://127.0.0.1:${port}/`, { allowPrivateNetwork: true });
    const bodies = async (): Promise<string> => (await destination.fetchSmall(SMALL)).body.toString();
    expect(await bodies()).toBe('done');
    await pause(20);
    const underWay = bodies();
    await pause(10);
    expect(sockets.size).toBe(1);
    destination.forgetConnections();
    expect([await bodies(), await underWay, sockets.size]).toEqual(['done', 'done', 2]);
  });
});
