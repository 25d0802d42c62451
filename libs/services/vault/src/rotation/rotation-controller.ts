import { Serves } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Rotations, type RotateAsked } from './rotations.js';

/** Answers for the rotation of keys. */
@Controller()
export class RotationController {
  constructor(private readonly rotations: Rotations) {}

  /** A new active key. */
  @Serves(vaultContracts.rotateKeys)
  rotate(asked: RotateAsked): Promise<{ rotated: boolean; active: string }> {
    return this.rotations.rotate(asked);
  }

  /** How far it is. */
  @Serves(vaultContracts.rotationProgress)
  progress(): Promise<z.output<typeof vaultContracts.rotationProgress.reply>> {
    return this.rotations.progress();
  }
}
