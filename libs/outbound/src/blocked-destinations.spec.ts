import { createHook } from 'node:async_hooks';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { Outbound } from './outbound.js';

const V4_EDGES = [
  '0.0.0.0', '0.0.0.1', '0.255.255.255', '10.0.0.0', '10.0.0.1', '10.255.255.255', '100.64.0.0', '100.100.100.200',
  '100.127.255.255', '127.0.0.0', '127.0.0.1', '127.1.2.3', '127.255.255.255', '168.63.129.16', '169.254.0.0',
  '169.254.169.254', '169.254.170.2', '169.254.255.255', '172.16.0.0', '172.31.255.255', '192.0.0.0', '192.0.0.192',
  '192.0.0.255', '192.0.2.1', '192.88.99.1', '192.168.0.0', '192.168.255.255', '198.18.0.0', '198.19.255.255',
  '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
];

const V6_EDGES = [
  '::', '::1', '::2', '::ffff:ffff', '::7f00:1', '64:ff9b::1', '64:ff9b:1::1', '100::1', '2001::1', '2001:0:4136:e378::1', '2001:db8::1',
  '2001:2::1', '2001:10::1', '2001:20::1', '2002::1', '3fff::1', '5f00::1', '4000::1', 'fc00::1', 'fd00::1', 'fd00:ec2::254',
  'fd20:ce::254', 'fe80::1', 'febf::1', 'fec0::1', 'feff::1', 'ff02::1', 'ff0e::1', 'ffff::1', '0:0:0:0:ffff:0:7f00:1',
];

function hexGroups(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function asNumber(v4: string): number {
  return v4.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The same IPv4 address as attackers write it. */
function spellings(v4: string): string[] {
  const parts = v4.split('.').map(Number);
  return [
    v4,
    `${v4}.`,
    String(asNumber(v4)),
    `0x${asNumber(v4).toString(16)}`,
    parts.map((part) => `0${part.toString(8)}`).join('.'),
    `[::ffff:${v4}]`,
    `[::ffff:${hexGroups(v4)}]`,
    `[64:ff9b::${v4}]`,
    `[2002:${hexGroups(v4)}::]`,
    `[::${v4}]`,
  ];
}

const LITERALS = [...V4_EDGES.flatMap(spellings), ...V6_EDGES.map((address) => `[${address}]`), '0x7f.1', '127.1', '0', '１２７.0.0.1'];
const ANSWERS = [...V4_EDGES, ...V6_EDGES, ...V4_EDGES.map((address) => `::ffff:${address}`), 'fe80::1%lo', '127.1', 'not-an-ip'];

describe('destinations that must never be dialled', () => {
  let listeners: Server[];
  let port: number;
  let accepted = 0;
  let dialled = 0;
  const dials = createHook({ init: (_id, type) => void (type === 'TCPCONNECTWRAP' && (dialled += 1)) });

  beforeAll(async () => {
    const onLoopback = createServer(() => (accepted += 1)).listen(0, '0.0.0.0');
    await once(onLoopback, 'listening');
    port = (onLoopback.address() as AddressInfo).port;
    const onSix = createServer(() => (accepted += 1)).listen({ port, host: '::1', ipv6Only: true });
    onSix.on('error', () => undefined); // A machine without IPv6 still proves the rest.
    listeners = [onLoopback, onSix];
    dials.enable();
  });

  afterAll(() => {
    dials.disable();
    listeners.forEach((listener) => listener.close());
  });

  it('has a table of more than 250', () => {
    expect(LITERALS.length + ANSWERS.length).toBeGreaterThan(450);
  });

  it('refuses every literal before anything is resolved or dialled', async () => {
    const outbound = new Outbound({ resolve: () => Promise.reject(new Error('a literal must not be resolved')) });
    const passed = LITERALS.filter((host) => !isRefused(() => outbound.destination(`https://${host}:${port}/mcp`, { allowPrivateNetwork: false })));
    expect(passed).toEqual([]);
    await outbound.close();
  });

  it('refuses every name that resolves to one of them, alone or beside a public address', async () => {
    const passed: string[] = [];
    for (const address of ANSWERS) {
      const family = address.includes(':') ? 6 : 4;
      const outbound = new Outbound({ resolve: async () => [{ address: '93.184.216.34', family: 4 }, { address, family }] });
      const error = await fetchOnce(outbound, `https://rebind.example:${port}/`);
      if (!(error instanceof Refusal && error.code === 'url_refused')) passed.push(address);
      await outbound.close();
    }
    expect(passed).toEqual([]);
  });

  it('keeps metadata services out even where private networks are allowed', async () => {
    const outbound = new Outbound();
    const metadata = ['169.254.169.254', '168.63.129.16', '100.100.100.200', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '[::ffff:a83f:8110]'];
    const refusals = metadata.map((host) => refusalOf(() => outbound.destination(`http://${host}/`, { allowPrivateNetwork: true })));
    expect(refusals.map((refusal) => refusal?.details)).toEqual(metadata.map(() => ({ reason: 'metadata_address' })));
    await outbound.close();
  });

  it('made no TCP connection in all of this', () => {
    expect({ dialled, accepted }).toEqual({ dialled: 0, accepted: 0 });
  });
});

async function fetchOnce(outbound: Outbound, url: string): Promise<unknown> {
  const destination = outbound.destination(url, { allowPrivateNetwork: false });
  return destination.fetchSmall({ method: 'GET', headers: {}, maxBytes: 100, timeoutMs: 2_000 }).catch((error: unknown) => error);
}

function refusalOf(act: () => unknown): Refusal | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof Refusal ? error : undefined;
  }
  return undefined;
}

function isRefused(act: () => unknown): boolean {
  return refusalOf(act)?.code === 'url_refused';
}
