import { z } from 'zod';

/** Largest piece of a snapshot that travels in one reply, in characters: well under the bus's 1 MiB. */
export const SNAPSHOT_CHUNK_CHARS = 180_000;

/** Which snapshot an edge holds. A new epoch (a restored or emptied database) never compares with an old one. */
export const snapshotVersion = z.strictObject({
  epoch: z.string().min(1).max(64),
  version: z.int().min(0),
});

/** The state an edge holds, by epoch and version. */
export type SnapshotVersion = z.infer<typeof snapshotVersion>;

/** Asks for a snapshot, naming the one held so that an unchanged one costs a few bytes. */
export const snapshotRequest = z.strictObject({
  have: snapshotVersion.optional(),
  part: z.int().min(0).default(0),
});

/**
 * One piece of a signed snapshot. `chunk` pieces joined in order are the signed text; `signature` is
 * Ed25519 over its UTF-8 bytes, base64url. `unchanged` means the edge holds the newest already.
 */
export const snapshotReply = z.discriminatedUnion('unchanged', [
  z.strictObject({ unchanged: z.literal(true), ...snapshotVersion.shape }),
  z.strictObject({
    unchanged: z.literal(false),
    ...snapshotVersion.shape,
    parts: z.int().min(1),
    part: z.int().min(0),
    chunk: z.string(),
    keyId: z.string(),
    signature: z.string(),
  }),
]);

/** One piece of a snapshot as it travels. */
export type SnapshotReply = z.infer<typeof snapshotReply>;
