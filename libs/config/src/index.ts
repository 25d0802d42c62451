export { ConfigError } from './config-error.js';
export { defineConfig, type Config, type ConfigSchema, type Field } from './config-schema.js';
export { describeConfig, type ConfigRow } from './describe-config.js';
export { FIELDS, listenField, required } from './fields.js';
export { loadConfig, type Environment } from './load-config.js';
export { readSecretFile } from './secret-file.js';
export { httpUrl, integer, isLoopback, listenAddress, onOff, oneOf, parseListen, urlOf } from './text-schemas.js';
export { ownPorts } from './own-ports.js';
