import type { Valid } from './check-entry.js';

/** All texts of a batch one after the other, and where each is: first byte (from 1) and length of leaf and document. */
export interface Packed {
  readonly bytes: Buffer;
  readonly places: readonly [leafAt: number[], leafLength: number[], documentAt: number[], documentLength: number[]];
}

/**
 * Puts a batch into one binary parameter: as an array of texts or of byte strings the driver would copy and
 * escape every character twice, which costs more than everything else that is done with an entry.
 */
export function pack(entries: readonly Valid[]): Packed {
  const bytes = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + roomFor(entry), 0));
  const places: [number[], number[], number[], number[]] = [[], [], [], []];
  let end = 0;
  for (const { body, document } of entries) {
    const leafAt = end;
    const leafLength = bytes.write(body, end, 'utf8');
    end += leafLength;
    const same = document === body;
    const documentAt = same ? leafAt : end;
    const documentLength = same ? leafLength : bytes.write(document, end, 'utf8');
    if (!same) end += documentLength;
    [leafAt + 1, leafLength, documentAt + 1, documentLength].forEach((value, column) => places[column]!.push(value));
  }
  return { bytes: bytes.subarray(0, end), places };
}

function roomFor({ body, document }: Valid): number {
  return (body.length + (document === body ? 0 : document.length)) * 3;
}
