import 'reflect-metadata';
import { runProcess } from '@gatehouse/host';
import { readSettings } from './settings.js';
import { startAll } from './start-all.js';

await runProcess((opened) => startAll(readSettings(), opened, (text) => process.stdout.write(text)));
