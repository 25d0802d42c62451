import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { AuditController } from './audit-controller.js';
import { EntryLog } from './log/entry-log.js';
import { Records } from './records/records.js';

/** Composes the audit service: its controller over parts that were built before Nest. */
@Module({})
export class AuditModule {
  /** The module around these parts. */
  static with(parts: { entries: EntryLog; records: Records }): DynamicModule {
    return {
      module: AuditModule,
      controllers: [AuditController],
      providers: [
        { provide: EntryLog, useValue: parts.entries },
        { provide: Records, useValue: parts.records },
      ],
    };
  }
}
