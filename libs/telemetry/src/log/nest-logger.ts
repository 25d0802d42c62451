import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** What Nest says of its own wiring at every start. */
const WIRING = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication', 'NestMicroservice', 'ServerFactory']);

/** Nest's logger on ours: its last text is the context, an error's text before that the stack; `log` becomes info, wiring debug. */
export function nestLogger(logger: Logger): LoggerService {
  const at =
    (level: Level) =>
    (message: unknown, ...rest: unknown[]): void =>
      write(logger, level, { message, rest });
  return { fatal: at('fatal'), error: at('error'), warn: at('warn'), log: at('info'), debug: at('debug'), verbose: at('trace') };
}

function write(logger: Logger, level: Level, { message, rest }: { message: unknown; rest: readonly unknown[] }): void {
  const { context, stack } = extras(level, rest);
  const fields = { ...(context === undefined ? {} : { context }), ...(stack === undefined ? {} : { stack }) };
  const effective = level === 'info' && WIRING.has(context ?? '') ? 'debug' : level;
  if (message instanceof Error) logger[effective]({ ...fields, err: message }, message.message);
  else if (typeof message === 'object' && message !== null) logger[effective]({ ...fields, ...message });
  else logger[effective](fields, String(message));
}

function extras(level: Level, rest: readonly unknown[]): { context: string | undefined; stack: string | undefined } {
  const texts = rest.filter((value) => typeof value === 'string');
  const stack = level === 'error' || level === 'fatal' ? texts.find((text) => /\n\s+at /.test(text)) : undefined;
  return { context: texts.filter((text) => text !== stack).at(-1), stack };
}
