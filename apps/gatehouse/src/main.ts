import 'reflect-metadata';
import { catchLibraryOutput, runProcess } from '@gatehouse/host';

// Before the services are loaded: some libraries print as soon as they are.
catchLibraryOutput();
const [{ readSettings }, { startAll }] = await Promise.all([import('./settings.js'), import('./start-all.js')]);

await runProcess((opened) => startAll(readSettings(), opened, (text) => process.stdout.write(text)));
