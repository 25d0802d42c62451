import { constants, fdatasync, write } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The part of the world the spool's durability rests on; tests hand in one that fails or counts. */
export interface Disk {
  /** Resolves once `length` bytes of `bytes` stand at `position` of the file on stable storage. */
  append(fd: number, bytes: Buffer, length: number, position: number): Promise<void>;
}

// On Linux one O_DSYNC write is write + fdatasync in a single hop through the thread pool (a third less CPU
// per batch); elsewhere the flag is weaker or absent (macOS needs F_FULLFSYNC, which fdatasync issues).
const SYNCED_WRITES = process.platform === 'linux';

/** Flags of a segment's file: new, for this process alone, durable when a write returns where that exists. */
export const SEGMENT_FLAGS =
  constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (SYNCED_WRITES ? constants.O_DSYNC : 0);

const writeAt = promisify(write);
const syncData = promisify(fdatasync);

/** The machine's own disk. */
export const systemDisk: Disk = {
  async append(fd, bytes, length, position) {
    let done = 0;
    while (done < length) {
      const { bytesWritten } = await writeAt(fd, bytes, done, length - done, position + done);
      done += bytesWritten;
    }
    if (!SYNCED_WRITES) await syncData(fd);
  },
};

/** Makes created, renamed and removed names of a folder durable (their bytes are synced separately). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
