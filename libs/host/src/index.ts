export { catchLibraryOutput } from '@gatehouse/telemetry';
export { busFields, databaseFields, ephemeralFields, processFields } from './host-config.js';
export {
  connectBus,
  connectEphemeral,
  openHost,
  trustedAuthorities,
  type ProcessConfig,
  type ProcessHost,
} from './process-host.js';
export { Opened, runProcess, type Running } from './run-process.js';
