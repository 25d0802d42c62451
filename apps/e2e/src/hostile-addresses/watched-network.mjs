/**
 * Loaded into a process of Gatehouse before anything else: the internet as a story wants it. Names
 * resolve to what the story says, one public address leads to the story's own listeners, and every
 * address that a socket was about to reach is written down.
 */
import { appendFileSync } from 'node:fs';
import dns from 'node:dns';
import dnsPromises from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isIP, Socket } from 'node:net';

const { names, publicAddress, trapPort, log } = JSON.parse(process.env.WATCHED_NETWORK);
const asked = new Map();
/** Where nobody is: what a public address leads to at the port of the traps. */
const NOWHERE = '255.255.255.255';

/** A name's answers one after the other, the last one again and again. */
function addressesOf(host) {
  if (isIP(host) !== 0) return [{ address: host, family: isIP(host) }];
  const answers = names[host];
  if (answers === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  const times = asked.get(host) ?? 0;
  asked.set(host, times + 1);
  return answers[Math.min(times, answers.length - 1)].map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

dnsPromises.lookup = async (host, options) => {
  const addresses = addressesOf(host);
  return options?.all === true ? addresses : addresses[0];
};
dns.lookup = (host, options, callback) => {
  const [given, done] = typeof options === 'function' ? [{}, options] : [options, callback];
  dnsPromises.lookup(host, given).then((found) => (given.all === true ? done(null, found) : done(null, found.address, found.family)), done);
};
syncBuiltinESMExports();

/** Notes the address; where it is the public one, the socket goes to the story and says it did not. */
function dialled(socket, address, options) {
  appendFileSync(log, `${address} ${options.port}\n`);
  if (address !== publicAddress) return address;
  if (Number(options.port) === trapPort) return NOWHERE;
  Object.defineProperty(socket, 'remoteAddress', { get: () => publicAddress });
  return '127.0.0.1';
}

function watch(socket, options) {
  if (options.path !== undefined && options.port === undefined) return;
  if (isIP(options.host ?? '') !== 0) options.host = dialled(socket, options.host, options);
  else watchLookup(socket, options);
}

function watchLookup(socket, options) {
  const lookup = options.lookup ?? dns.lookup;
  options.lookup = (host, given, callback) =>
    lookup(host, given, (error, found, family) => {
      if (error) return callback(error, found, family);
      if (typeof found === 'string') return callback(null, dialled(socket, found, options), family);
      callback(null, found.map((each) => ({ ...each, address: dialled(socket, each.address, options) })));
    });
}

const connect = Socket.prototype.connect;
Socket.prototype.connect = function watched(...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  if (typeof options === 'object' && options !== null) watch(this, options);
  return connect.apply(this, given);
};
