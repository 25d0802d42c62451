import { connect } from 'node:net';

const ASK_TIMEOUT_MS = 1_000;

/** Sends bytes to a loopback port and resolves with the first bytes back; undefined when nothing answers in a second. */
export function askPort(port: number, question: Uint8Array | string): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (answer?: Buffer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ASK_TIMEOUT_MS, () => done());
    socket.once('connect', () => void (question.length > 0 && socket.write(question)));
    socket.once('data', done);
    socket.once('error', () => done());
    socket.once('close', () => done());
  });
}
