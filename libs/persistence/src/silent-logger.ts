import type { Logger } from 'typeorm';

const nothing = (): void => undefined;

/** TypeORM would print statements with their parameters, and failed migrations, to the console. What matters is thrown. */
export const silentLogger: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};
