import { readFileSync, statSync } from 'node:fs';

const MAX_BYTES = 64 * 1024;
const GROUP = 0o070;
const OTHERS = 0o007;

/**
 * Whether others can read a file, or its group can although the file is ours. A file of another
 * owner reaches us only through the group (Kubernetes' `fsGroup`), so there the group may.
 * `ownUid` is undefined on Windows, which has no such modes.
 */
export function isTooOpen({ mode, uid }: { mode: number; uid: number }, ownUid: number | undefined): boolean {
  const forbidden = uid === ownUid ? GROUP | OTHERS : OTHERS;
  return ownUid !== undefined && (mode & forbidden) !== 0;
}

/** The text of a secret's file without its last line end, or what is wrong with the file. */
export function readSecretFile(path: string): { text: string } | { problem: string } {
  try {
    const { mode, uid, size } = statSync(path);
    if (isTooOpen({ mode, uid }, process.geteuid?.())) return { problem: `names ${path}, which others can read; chmod 600 it` };
    if (size > MAX_BYTES) return { problem: `names ${path}, which is larger than 64 KiB` };
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? { problem: `names ${path}, which is empty` } : { text };
  } catch (error) {
    return { problem: `names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}
