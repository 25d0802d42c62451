import { Serves } from '@gatehouse/bus';
import { clientContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { KeyRotation } from './key-rotation.js';

type SigningKey = clientContracts.SigningKey;

/** Answers for the keys that access tokens are signed with. */
@Controller()
export class SigningKeysController {
  constructor(private readonly rotation: KeyRotation) {}

  /** The keys of this moment. */
  @Serves(clientContracts.listSigningKeys)
  list(): { items: SigningKey[] } {
    return { items: this.rotation.list() };
  }

  /** Signs with the next key from now on. */
  @Serves(clientContracts.rotateSigningKey)
  rotate({ actor, retireNow }: { actor: Actor; retireNow: boolean }): Promise<{ items: SigningKey[]; directory: SnapshotVersion }> {
    return this.rotation.rotate(actor, retireNow);
  }
}
