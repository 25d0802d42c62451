import { Fault, Refusal } from '@gatehouse/kernel';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';

interface DriverError {
  code?: string;
  message: string;
  constraint?: string;
  table?: string;
  column?: string;
}

/** SQLSTATE classes and codes, and system codes, that mean the server is not there for us (PostgreSQL appendix A). */
const LOST = /^(08...|57P0[1-5]|53300|25006|25P03|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/;
/** pg gives these no code. */
const LOST_MESSAGE = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after)/;
const BUSY = new Set(['40001', '40P01', '55P03']);
const VALUE_IN_MESSAGE = /^2[23]/;

/**
 * What a failed statement means to a caller: 23505 → `conflict` with the constraint's name;
 * connection gone → `service_unavailable`; statement timeout → `service_timeout`; serialization
 * failure, deadlock or lock timeout → `overloaded`; all else a `Fault` whose cause holds no parameters.
 */
export function databaseError(error: unknown): Refusal | Fault {
  if (error instanceof Refusal || error instanceof Fault) return error;
  // TypeORM lets go of a connection when it breaks; the statement after that finds the runner released.
  if (error instanceof QueryRunnerAlreadyReleasedError) return unavailable();
  const driver = (error instanceof QueryFailedError ? error.driverError : error) as DriverError;
  return refusalFor(driver) ?? new Fault('a database statement failed', { cause: withoutValues(driver) });
}

function refusalFor(driver: DriverError): Refusal | undefined {
  const { code = '', constraint } = driver;
  if (code === '23505') return new Refusal('conflict', constraint === undefined ? {} : { constraint });
  if (isConnectionLoss(driver)) return unavailable();
  if (code === '57014') return new Refusal('service_timeout', { part: 'database' });
  return BUSY.has(code) ? new Refusal('overloaded') : undefined;
}

function unavailable(): Refusal {
  return new Refusal('service_unavailable', { part: 'database' });
}

function isConnectionLoss({ code, message }: DriverError): boolean {
  return LOST.test(code ?? '') || LOST_MESSAGE.test(message);
}

// TypeORM's error carries the parameters and PostgreSQL's the row: either may hold what no log may show.
function withoutValues({ code = '', message, table, column, constraint }: DriverError): Error {
  const place = [table, column, constraint].filter((name) => name !== undefined).join('.');
  return new Error(`${code} ${VALUE_IN_MESSAGE.test(code) ? 'a value was refused' : message} ${place}`.trim());
}
