export { addressKind, type AddressKind } from './address-kind.js';
export { Destination, type OutboundRequest, type SmallRequest, type Stamp, type StreamedRequest } from './destination.js';
export { failureOf, type TlsReason, type UnreachableReason } from './failure.js';
export { type Resolve, type ResolvedAddress } from './guarded-connector.js';
export { guardedFetch, type GuardedFetchOptions, type GuardedRequest } from './guarded-fetch.js';
export { HopTimes } from './hop-times.js';
export { Outbound, type OutboundOptions } from './outbound.js';
export { type SmallAnswer } from './small-answer.js';
export { type UrlRefusalReason } from './target.js';
