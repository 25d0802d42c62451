import { Serves } from '@gatehouse/bus';
import { policyContracts, type SnapshotReply } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Snapshots, type SnapshotQuestion } from './snapshots.js';

/** Answers for the snapshot. */
@Controller()
export class SnapshotController {
  constructor(private readonly snapshots: Snapshots) {}

  /** One piece of the newest snapshot. */
  @Serves(policyContracts.getPolicySnapshot)
  get(question: SnapshotQuestion): Promise<SnapshotReply> {
    return this.snapshots.reply(question);
  }
}
