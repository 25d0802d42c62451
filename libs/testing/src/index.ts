export { startNats } from './servers/nats.js';
export { startPostgres } from './servers/postgres.js';
export { startRedis } from './servers/redis.js';
export { type TestServer } from './servers/child-server.js';
export { findServerBinary, type ServerBinary } from './servers/find-server-binary.js';
export { freePort } from './servers/free-port.js';
export { serverLeg } from './servers/server-leg.js';
export { TestClock } from './test-clock.js';
export { TestAuthority, type CertificateWish, type TestCertificate } from './tls/test-authority.js';
