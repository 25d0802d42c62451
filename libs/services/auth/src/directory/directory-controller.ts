import { Serves } from '@gatehouse/bus';
import { directoryContracts, type SnapshotReply } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { DirectorySnapshots, type SnapshotQuestion } from './directory-snapshots.js';

/** Answers for the directory. */
@Controller()
export class DirectoryController {
  constructor(private readonly snapshots: DirectorySnapshots) {}

  /** One piece of the newest directory. */
  @Serves(directoryContracts.getDirectory)
  get(question: SnapshotQuestion): Promise<SnapshotReply> {
    return this.snapshots.reply(question);
  }
}
