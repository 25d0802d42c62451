import { SNAPSHOT_CHUNK_CHARS } from '@gatehouse/contracts';

/** Pieces of at most `SNAPSHOT_CHUNK_CHARS`; no pair of surrogates is torn apart. */
export function chunksOf(text: string, limit = SNAPSHOT_CHUNK_CHARS): string[] {
  const chunks: string[] = [];
  for (let from = 0; from < text.length; ) {
    const full = from + limit;
    const tears = full < text.length && /[\ud800-\udbff]/.test(text[full - 1]!);
    const to = tears ? full - 1 : full;
    chunks.push(text.slice(from, to));
    from = to;
  }
  return chunks;
}
