import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, sealTo } from '@gatehouse/kernel';
import type { SecretHeader } from './server-access.js';

/** The last four characters of anything shorter say too much of it. */
const TELLING_CHARS = 16;

/** A secret header as auth takes it. */
export interface SealedHeader {
  name: string;
  sealed: string;
  /** To recognise it by; null where that would give much of it away. */
  lastFour: string | null;
}

/** Seals what goes to the vault where it enters, so that no other service ever sees it. */
@Injectable()
export class ServiceSecrets {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  /** A new secret under a new id, for the vault alone to open. */
  async seal(text: string): Promise<{ secretId: string; sealed: string }> {
    const secretId = newId('secret');
    const sealed = sealedTo(await this.#entryKey(), Buffer.from(text, 'utf8'), vaultContracts.serviceSecretContext(secretId));
    return { secretId, sealed };
  }

  /** The secret headers of one identity. */
  async sealHeaders(identityId: string, headers: readonly SecretHeader[]): Promise<SealedHeader[]> {
    const publicKey = await this.#entryKey();
    return headers.map(({ name, value }) => ({
      name,
      sealed: sealedTo(publicKey, Buffer.from(value, 'latin1'), vaultContracts.entryContext(identityId, name)),
      lastFour: value.length >= TELLING_CHARS ? value.slice(-4) : null,
    }));
  }

  async #entryKey(): Promise<string> {
    return (await this.bus.request(vaultContracts.getEntryKey, {})).publicKey;
  }
}

function sealedTo(publicKey: string, bytes: Buffer, context: string): string {
  const sealed = sealTo(publicKey, bytes, context);
  bytes.fill(0);
  return sealed;
}
