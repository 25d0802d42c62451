import { isIP, type LookupFunction, type Socket } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { ConnectionStages } from './connection-times.js';
import { addressProblem, refuseBadLiteral, urlRefused, type Target } from './target.js';

/** One answer of the resolver. */
export interface ResolvedAddress {
  address: string;
  family: number;
}

/** Turns a host name into addresses: the machine's resolver, or a test's. */
export type Resolve = (host: string) => Promise<ResolvedAddress[]>;

/** What every connection of one `Outbound` shares. */
export interface ConnectionRules {
  resolve: Resolve;
  connectTimeoutMs: number;
  /** Ports Gatehouse listens on; read at each connect, so they may be filled in after start. */
  ownPorts: readonly number[];
  /** PEM certificates trusted besides the well-known ones. */
  trustedCas: readonly string[];
}

/**
 * The connect function of one target's pool. Each new connection resolves the name itself, refuses
 * when any one answer is not allowed (mixed sets), dials only what was checked (DNS rebinding), and
 * looks once more at the address the socket really reached.
 */
export function guardedConnector(target: Target, rules: ConnectionRules): buildConnector.connector {
  const secureContext = trustOf(target, rules);
  const dial = buildConnector({
    timeout: rules.connectTimeoutMs,
    lookup: checkedLookup(target, rules),
    ...(secureContext === undefined ? {} : { secureContext }),
  });
  return (options, callback) => {
    if (isIP(options.hostname) !== 0) refuseBadLiteral(target, rules.ownPorts);
    const stages = new ConnectionStages();
    const dialled: unknown = dial(options, (error: Error | null, socket?: Socket | null) => {
      // The types promise null beside an error; there is nothing at all.
      if (socket === null || socket === undefined) return callback(error ?? new Error('no socket'), null);
      const problem = addressProblem(target, socket.remoteAddress ?? '', rules.ownPorts);
      stages.ready(socket);
      if (problem === undefined) return callback(null, socket);
      socket.destroy();
      callback(urlRefused(problem), null);
    });
    stages.watch(dialled);
  };
}

/** Made once per pool: reading all well-known certificates again at each connect would take milliseconds. */
function trustOf({ secure, caCertificate }: Target, { trustedCas }: ConnectionRules): SecureContext | undefined {
  const own = [...trustedCas, ...(caCertificate === undefined ? [] : [caCertificate])];
  return secure && own.length > 0 ? createSecureContext({ ca: [...rootCertificates, ...own] }) : undefined;
}

function checkedLookup(target: Target, rules: ConnectionRules): LookupFunction {
  return (host, options, callback) => {
    const answer = (addresses: ResolvedAddress[]): void => {
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    };
    resolveChecked(host, target, rules).then(answer, (error: Error) => callback(error, []));
  };
}

async function resolveChecked(host: string, target: Target, rules: ConnectionRules): Promise<ResolvedAddress[]> {
  const addresses = await rules.resolve(host);
  if (addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
  for (const { address } of addresses) {
    const problem = addressProblem(target, address, rules.ownPorts);
    if (problem !== undefined) throw urlRefused(problem);
  }
  return addresses;
}
