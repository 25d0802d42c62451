import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { errorLine } from './error-line.js';
import { redactNames, redactText } from './redaction.js';

/** A structured logger: `log.info({ server: 'demo' }, 'server probed')`. */
export type Logger = PinoLogger;

/** How much is written, least first. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Who logs, how much, and where to. */
export interface LoggerOptions {
  service: string;
  level: LogLevel;
  /** Standard output unless told. */
  destination?: DestinationStream;
}

/**
 * Writes one JSON object per line. The masking of secrets here is a second line of defence: it knows
 * names and forms, not meanings, and excuses nobody from leaving secrets out.
 */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (object: Record<string, unknown>) => redactNames(object) as Record<string, unknown>,
    },
    serializers: { err: errorLine, error: errorLine, cause: errorLine, reason: (value: unknown) => (value instanceof Error ? errorLine(value) : value) },
    hooks: { streamWrite: redactText },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
