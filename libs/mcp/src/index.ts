export { EnvelopeScanner, type Envelope } from './envelope-scanner.js';
export {
  eraOf,
  isSupported,
  negotiateVersion,
  requireSessionEra,
  SUPPORTED_VERSIONS,
  versionOfRequest,
  type Era,
  type ProtocolVersion,
} from './era.js';
export { canonicalJson } from './canonical-json.js';
export { jsonRpcError, jsonRpcErrorBytes, readRpcError, REFUSAL_META_KEY, refusedToolResult, urlElicitationRequired, type UrlElicitation } from './json-rpc-error.js';
export { filterList, fingerprint, targetOfItem, type ItemPredicate } from './list-filter.js';
export { admitClientMessage, methodRow, METHODS, type AdmittedMessage, type ListKey, type MethodRow, type PolicyAction } from './methods.js';
export {
  isRequestId,
  MAX_BATCH,
  parseBody,
  parseServerEnvelope,
  parseServerMessage,
  readId,
  type McpMessage,
  type McpNotification,
  type McpRequest,
  type McpResponse,
  type RequestId,
} from './parse-message.js';
export { mayHoldReservedMeta, reservedMetaKeys, stripReservedMeta } from './reserved-meta.js';
export { requireCanonicalUri } from './resource-uri.js';
export { ANSWER_LIMITS, REQUEST_LIMITS, scanJson, type ScanLimits } from './scan-json.js';
export {
  acceptServerMessage,
  SERVER_METHODS,
  serverMethodRow,
  ServerStreamGuard,
  type AwaitedRequest,
  type ClientCapability,
  type ServerMessageVerdict,
  type ServerMethodRow,
} from './server-messages.js';
export { SseParser, type SseEvent, type SseLimits } from './sse-parser.js';
export { SSE_KEEP_ALIVE, writeSseEvent, type OutgoingSseEvent } from './sse-writer.js';
