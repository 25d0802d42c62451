export { ScriptedBrowser, type BrowserOptions, type ForgedPost } from './browser/scripted-browser.js';
export { CookieJar } from './browser/cookie-jar.js';
export { type FormValues } from './browser/form-data.js';
export { type Form, type FormButton, type FormField, type Link } from './browser/html-page.js';
export { type Hop, type Page } from './browser/page.js';
export { type Cookie } from './browser/set-cookie.js';
export { missingGlobSyncHook } from './conformance-suite/missing-glob-sync.js';
export { runConformance, type ConformanceReport, type ConformanceRun, type ScenarioResult } from './conformance-suite/run-conformance.js';
export { startHeaderHop, type HeaderHop } from './conformance-suite/header-hop.js';
export { LOGOUT_TOKEN_FLAWS, type LogoutAnswer, type LogoutSubject, type LogoutTokenFlaw } from './identity-provider/back-channel-logout.js';
export {
  AUTHORIZATION_FLAWS,
  ID_TOKEN_FLAWS,
  METADATA_FLAWS,
  TOKEN_ENDPOINT_FLAWS,
  USERINFO_FLAWS,
  type IdentityProviderFlaw,
} from './identity-provider/flaws.js';
export { startIdentityProvider, type IdentityProvider, type IdentityProviderOptions, type ProviderRequest } from './identity-provider/identity-provider.js';
export { type ExchangeRules } from './identity-provider/assertion-exchange.js';
export { type AccessTokenWish, type IdJagWish } from './identity-provider/issued-tokens.js';
export { type Person, type PersonWish } from './identity-provider/people.js';
export { type ProviderSession } from './identity-provider/provider-memory.js';
export { type Claims, type Signing, type SigningAlg } from './identity-provider/signing-keys.js';
export { startAwsKms } from './kms/aws-dialect.js';
export { startAzureKeyVault } from './kms/azure-dialect.js';
export { type FakeKms, type KmsTrouble } from './kms/fake-kms.js';
export { startGcpKms } from './kms/gcp-dialect.js';
export { startTransit, type TransitLogin } from './kms/transit-dialect.js';
export { chatGpt, claude, claudeCode, cursor, realClients, sdkDefaults, visualStudioCode, type RealClient } from './oauth-clients/client-documents.js';
export {
  CLIENT_KEYS_PATH,
  startClientMetadataHost,
  type ClientMetadataHost,
  type ClientMetadataHostOptions,
  type MetadataFetch,
  type MetadataReply,
} from './oauth-clients/client-metadata-host.js';
export {
  callbackParameters,
  pkcePair,
  PublicClient,
  type OAuthAnswer,
  type OAuthParameters,
  type PkcePair,
  type PublicClientOptions,
} from './oauth-clients/public-client.js';
export { type Arrived } from './oauth-upstream/listener.js';
export { makeProof, newBoundKey, type ProofWish } from './oauth-upstream/make-proof.js';
export { type KnownClient, type OauthBehaviour, type OauthUpstreamOptions, type TokenHook, type Trust } from './oauth-upstream/oauth-options.js';
export { startOauthUpstream, type OauthUpstream } from './oauth-upstream/oauth-upstream.js';
export { startNats } from './servers/nats.js';
export { startPostgres } from './servers/postgres.js';
export { startRedis } from './servers/redis.js';
export { type TestServer } from './servers/child-server.js';
export { findServerBinary, type ServerBinary } from './servers/find-server-binary.js';
export { freePort } from './servers/free-port.js';
export { testDatabase, type TestDatabase } from './servers/test-database.js';
export { serverLeg } from './servers/server-leg.js';
export { TestClock } from './test-clock.js';
export { TestAuthority, type CertificateWish, type TestCertificate } from './tls/test-authority.js';
export { startConformanceUpstream, type ConformanceUpstream } from './upstreams/conformance/conformance-upstream.js';
export { startRecordingServer, type RecordedRequest, type RequiredHeader, type Upstream } from './upstreams/recording-server.js';
export { HOSTILE_ANSWERS, startHostileUpstream } from './upstreams/hostile/hostile-answers.js';
export { type HostileAnswer, type HostileOutcome } from './upstreams/hostile/hostile-answer.js';
export { startHttpSseUpstream, type HttpSseUpstream, type HttpSseUpstreamOptions } from './upstreams/http-sse-upstream.js';
export { startJsonUpstream, type JsonUpstreamOptions } from './upstreams/json-upstream.js';
export { answerHonestly, startRawUpstream, type RawExchange, type RawHandler, type RawUpstreamOptions } from './upstreams/raw-upstream.js';
export { type RpcRequest } from './upstreams/plain-answers.js';
