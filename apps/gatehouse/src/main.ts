import 'reflect-metadata';
import { runProcess } from '@gatehouse/host';
import { readSettings } from './settings.js';
import { startAll } from './start-all.js';

await runProcess(async () => startAll(readSettings(), (text) => process.stdout.write(text)));
