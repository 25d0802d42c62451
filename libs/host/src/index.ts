export { busFields, databaseFields, ephemeralFields, processFields } from './host-config.js';
export {
  closingInOrder,
  connectBus,
  connectEphemeral,
  openHost,
  trustedAuthorities,
  type ProcessConfig,
  type ProcessHost,
} from './process-host.js';
export { runProcess, type Running } from './run-process.js';
