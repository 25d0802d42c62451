export { systemClock, type Clock } from './clock.js';
export { ERRORS, errorRow, type ErrorCode, type ErrorRow } from './error-table.js';
export { asRefusalOrFault, Fault, isErrorCode, Refusal } from './errors.js';
export { isReservedHeader, requireHeaderNames } from './header-names.js';
export { ID_PREFIXES, idPattern, newId, timeOfId, type IdKind } from './ids.js';
export { isJsonObject, type JsonObject, type JsonValue } from './json.js';
export { AeadKey } from './sealing/aead-key.js';
export { newSealingKeyPair, openSealed, rawPublicKey, sealTo, type SealingKeyPair } from './sealing/sealed-box.js';
export { Secret } from './secret.js';
