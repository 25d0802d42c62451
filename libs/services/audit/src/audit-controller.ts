import { Serves } from '@gatehouse/bus';
import { auditContracts } from '@gatehouse/contracts';
import { Controller, Inject } from '@nestjs/common';
import { EntryLog } from './log/entry-log.js';
import { Records, type RecordPage, type RecordQuery } from './records/records.js';

/** Answers the requests of the audit service. */
@Controller()
export class AuditController {
  constructor(
    @Inject(EntryLog) private readonly entries: EntryLog,
    @Inject(Records) private readonly records: Records,
  ) {}

  /** The commit receipt of a shipment. */
  @Serves(auditContracts.appendEntries)
  append(input: { edge: string; entries: { seq: number; body: string }[] }): Promise<{ upTo: number }> {
    return this.entries.append(input.edge, input.entries);
  }

  /** A page of records. */
  @Serves(auditContracts.queryRecords)
  query(input: RecordQuery): Promise<RecordPage> {
    return this.records.page(input);
  }
}
