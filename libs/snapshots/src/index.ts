export { chunksOf } from './chunks.js';
export { isGenuine, type SignedText, type VerificationKeys } from './genuine.js';
export { SnapshotSigner, type SigningLease } from './snapshot-signer.js';
