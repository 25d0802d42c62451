import type { ServiceName } from '@gatehouse/contracts';
import type { Secret } from '@gatehouse/kernel';
import { usernamePasswordAuthenticator } from '@nats-io/transport-node';
import type { NatsOptions } from '@nestjs/microservices';
import { splitUrls } from './sign-in.js';

/** Where NATS is and how to sign in. */
export interface NatsAddress {
  /** `nats://user:password@host:port` or `tls://…`, with or without a sign-in; several servers of a cluster separated by commas. */
  url: string;
  service: ServiceName;
  /** Signs in instead of what the URL says. */
  user?: string;
  password?: Secret;
  /** PEM of the authority that signed the servers' certificates, with `tls://`; the URL alone says whether there is TLS. */
  ca?: string;
}

/** Nest's options of a NATS transport. */
export type NestNatsOptions = Required<NatsOptions>['options'];

/** Options of the connection, the same for asking and for answering. */
export function connectionOptions({ url, service, ca, ...given }: NatsAddress): NestNatsOptions {
  const { servers, ...told } = splitUrls(url);
  const { user, password } = given.user === undefined ? told : given;
  return {
    servers,
    name: `gatehouse-${service}`,
    // Own inboxes, so that server permissions can keep a service from reading another one's replies.
    inboxPrefix: `_INBOX.${service}`,
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    reconnectJitterTLS: 100,
    // A peer that vanished without closing is found out within half a minute.
    pingInterval: 10_000,
    maxPingOut: 2,
    // Credentials are rotated under running services: a refused sign-in must not end the reconnecting.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    ...(user === undefined ? {} : { authenticator: authenticator(user, password) }),
    ...(url.startsWith('tls://') ? { tls: ca === undefined ? {} : { ca } } : {}),
  };
}

function authenticator(user: string, password: Secret | undefined): ReturnType<typeof usernamePasswordAuthenticator> {
  return usernamePasswordAuthenticator(user, () => password?.use((bytes) => bytes.toString('utf8')) ?? '');
}
