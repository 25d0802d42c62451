/** The only address that leads anywhere in a story about destinations, and leads to the story itself. */
export const PUBLIC_ADDRESS = '93.184.216.34';

/** A name of the story's own servers. */
export const OWN_NAME = 'mcp.zoo.example';

const V4_INSIDE = ['127.0.0.1', '127.8.8.8', '0.0.0.0', '10.0.0.1', '172.16.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '100.100.100.200', '168.63.129.16'];
const V4_NOWHERE = ['169.254.170.2', '192.0.0.192', '192.0.2.1', '198.18.0.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'];
const V6 = [
  '::', '::1', '::2', '::ffff:0:7f00:1', '64:ff9b::1', '64:ff9b:1::7f00:1', '100::1', '2001::1', '2001:0:4136:e378::1', '2001:db8::1', '2002:7f00:1::',
  'fc00::1', 'fd00:ec2::254', 'fd20:ce::254', 'fe80::1', 'febf::1', 'fec0::1', 'ff02::1', 'ff0e::1', '3fff::1', '5f00::1', '4000::1',
];

const SCHEMES = ['ftp', 'file', 'gopher', 'javascript', 'data', 'ws', 'wss', 'dict', 'ldap', 'tftp', 'jar', 'unix', 'smb', 'ssh', 'telnet', 'blob', 'about', 'view-source', 'http+unix'];

/** Names and what they resolve to, one answer after the other. */
const INSIDE_NAMES: Readonly<Record<string, readonly string[][]>> = {
  localhost: [['127.0.0.1', '::1']],
  'app.localhost': [['127.0.0.1']],
  'localhost.localdomain': [['127.0.0.1']],
  'loop.zoo.example': [['127.0.0.1']],
  'loop6.zoo.example': [['::1']],
  'mapped.zoo.example': [['::ffff:127.0.0.1']],
  'ten.zoo.example': [['10.0.0.5']],
  'twelve.zoo.example': [['172.31.255.254']],
  'home.zoo.example': [['192.168.1.1']],
  'nat.zoo.example': [['100.64.3.4']],
  'zero.zoo.example': [['0.0.0.0']],
  'unique.zoo.example': [['fd12:3456::1']],
  'link.zoo.example': [['fe80::1']],
  'metadata.google.internal': [['169.254.169.254']],
  'metadata.zoo.example': [['169.254.169.254']],
  'azure.zoo.example': [['168.63.129.16']],
  'alibaba.zoo.example': [['100.100.100.200']],
  'aws6.zoo.example': [['fd00:ec2::254']],
  'nat64.zoo.example': [['64:ff9b::7f00:1']],
  'sixtofour.zoo.example': [['2002:7f00:1::']],
  'multicast.zoo.example': [['224.0.0.251']],
  'broadcast.zoo.example': [['255.255.255.255']],
  'mixed.zoo.example': [[PUBLIC_ADDRESS, '127.0.0.1']],
  'mixed-last.zoo.example': [['127.0.0.1', PUBLIC_ADDRESS]],
  'mixed6.zoo.example': [[PUBLIC_ADDRESS, '::1']],
  'mixed-metadata.zoo.example': [[PUBLIC_ADDRESS, '169.254.169.254']],
  'many.zoo.example': [[PUBLIC_ADDRESS, PUBLIC_ADDRESS, PUBLIC_ADDRESS, '10.0.0.1']],
  'rebind.zoo.example': [[PUBLIC_ADDRESS], ['127.0.0.1']],
  'rebind-metadata.zoo.example': [[PUBLIC_ADDRESS], ['169.254.169.254']],
  'rebind6.zoo.example': [[PUBLIC_ADDRESS], ['::1']],
  'rebind-back.zoo.example': [['127.0.0.1'], [PUBLIC_ADDRESS], ['127.0.0.1']],
  '127.0.0.1.nip.io': [['127.0.0.1']],
  'spoofed.burpcollaborator.net': [['127.0.0.1']],
  'kubernetes.default.svc': [['10.96.0.1']],
  'xn--lclhost-7za.example': [['127.0.0.1']],
};

/** What every name in the story resolves to. */
export const NAMES: Readonly<Record<string, readonly string[][]>> = { ...INSIDE_NAMES, [OWN_NAME]: [[PUBLIC_ADDRESS]], 'mcp.example': [[PUBLIC_ADDRESS]] };

/** Where the story listens for what must not come. */
export interface Traps {
  /** A port at which every connection to this machine is noticed. */
  port: number;
  /** The story's own https server, which redirects: `/redirect/<status>?to=…`. */
  redirector: string;
}

/** Addresses that must never be reached, as attackers write them. */
export function destinations({ port, redirector }: Traps): string[] {
  const literals = [...V4_INSIDE.flatMap((address) => spellings(address)), ...V4_NOWHERE, ...V6.map((address) => `[${address}]`)];
  const odd = ['0x7f.1', '127.1', '127.0.1', '0', '017700000001', '0177.1', '１２７.0.0.1', '127。0。0。1', '①②⑦.0.0.1', '127.0.0.1%2f', '0x7f.0x0.0x0.0x1', '0000:0000::1'];
  return [
    ...literals.map((host) => `https://${host}:${port}/mcp`),
    ...odd.map((host) => `https://${host}:${port}/mcp`),
    ...V4_INSIDE.map((address) => `http://${address}:${port}/`),
    ...V4_INSIDE.slice(0, 4).map((address) => `https://${address}/`),
    ...Object.keys(INSIDE_NAMES).map((name) => `https://${name}:${port}/mcp`),
    ...Object.keys(INSIDE_NAMES).slice(0, 4).map((name) => `https://${name}.:${port}/mcp`),
    ...SCHEMES.map((scheme) => `${scheme}://127.0.0.1:${port}/etc/passwd`),
    ...['file:///etc/passwd', 'javascript:fetch("//127.0.0.1")', 'data:text/plain,x', '//127.0.0.1/', '/mcp', '127.0.0.1', '', ' ', 'https://', 'https:///x', 'https:127.0.0.1', '\\\\127.0.0.1\\x'],
    ...userinfo(port),
    ...[0, 65_536, 99_999, -1].map((bad) => `https://mcp.example:${bad}/`),
    ...[301, 302, 303, 307, 308].flatMap((status) => redirects(redirector, status, port)),
  ];
}

function userinfo(port: number): string[] {
  return [
    `https://mcp.example@127.0.0.1:${port}/`,
    `https://mcp.example:443@127.0.0.1:${port}/`,
    `https://user:password@mcp.example:${port}/`,
    `https://@127.0.0.1:${port}/`,
    `https://mcp.example%40127.0.0.1:${port}/`,
    `https://mcp.example\\@127.0.0.1:${port}/`,
    `https://127.0.0.1:${port}\\@mcp.example/`,
    `https://127.0.0.1:${port}#@mcp.example/`,
    `https://127.0.0.1:${port}?@mcp.example/`,
    `https://mcp.example#@127.0.0.1:${port}/`,
    `https://127.0.0.1:${port}\t/`,
    `https://127.0.0.1\n:${port}/`,
    `https://[::1]:${port}/#`,
    `https://[::1%25lo]:${port}/`,
    `https://[::ffff:7f00:1]:${port}@mcp.example/`,
  ];
}

function redirects(redirector: string, status: number, port: number): string[] {
  const inside = [`http://127.0.0.1:${port}/`, `https://127.0.0.1:${port}/`, `https://[::1]:${port}/`, `https://loop.zoo.example:${port}/`, 'http://169.254.169.254/latest/meta-data/', `//127.0.0.1:${port}/`];
  return inside.map((to) => `${redirector}/redirect/${status}?to=${encodeURIComponent(to)}`);
}

/** The same IPv4 address in other words. */
function spellings(v4: string): string[] {
  const parts = v4.split('.').map(Number);
  const number = parts.reduce((sum, part) => sum * 256 + part, 0);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  return [
    v4,
    `${v4}.`,
    String(number),
    `0x${number.toString(16)}`,
    parts.map((part) => `0${part.toString(8)}`).join('.'),
    parts.map((part) => `0x${part.toString(16)}`).join('.'),
    `[::ffff:${v4}]`,
    `[::ffff:${groups}]`,
    `[64:ff9b::${groups}]`,
    `[2002:${groups}::]`,
    `[::${v4}]`,
  ];
}
