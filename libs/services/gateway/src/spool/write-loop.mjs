/**
 * A process that writes to a spool as fast as it can until it is killed, and says on stdout which intents
 * were acknowledged (`i`) and which outcomes were handed over (`o`). Run by the crash spec.
 */
import { writeSync } from 'node:fs';
import { sampleEnd, sampleIntent } from './sample-entries.js';
import { Spool } from './spool.js';

const WRITERS = 32;
const log = { info() {}, warn() {}, error() {} };
const spool = await Spool.open({ dir: process.argv[2], log, segmentBytes: 256 * 1024 });
let calls = 0;
let said = '';

function say(line) {
  if (said === '') setImmediate(() => { writeSync(1, said); said = ''; });
  said += `${line}\n`;
}

async function write() {
  for (;;) {
    const callId = `${spool.boot}:${(calls += 1)}`;
    await spool.intent(sampleIntent(callId));
    say(`i ${callId}`);
    if (calls % 7 === 0) continue;
    spool.outcome(sampleEnd(callId));
  }
}

if (process.argv[3] === 'open-only') process.kill(process.pid, 'SIGKILL');
await Promise.race(Array.from({ length: WRITERS }, write));
