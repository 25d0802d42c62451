export { type DatabaseOptions } from './connection-options.js';
export { Database, type Transaction } from './database.js';
export { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres.js';
export { type Migration } from './migrations.js';
export { Outbox, OUTBOX_MIGRATION, type Publish } from './outbox.js';
