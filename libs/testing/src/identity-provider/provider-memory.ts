import type { Adapter, AdapterFactory, AdapterPayload, ClientMetadata } from 'oidc-provider';

interface Kept {
  payload: AdapterPayload;
  expiresAt: number;
}

/** A session of a person at the provider: what a back-channel logout names. */
export interface ProviderSession {
  sub: string;
  /** The session's name towards the client. */
  sid: string | undefined;
}

/** What the provider remembers; it outlives the provider object, which is built anew when keys change. */
export class ProviderMemory {
  /** The one registered client. Changed here it holds from the next request on. */
  client: ClientMetadata;
  private readonly kept = new Map<string, Kept>();

  constructor(client: ClientMetadata) {
    this.client = client;
  }

  /** For the provider's `adapter` setting. */
  readonly adapter: AdapterFactory = (model) => this.adapterOf(model);

  /** The sessions of a person that are alive. */
  sessionsOf(sub: string): ProviderSession[] {
    return this.live('Session')
      .filter(([, { payload }]) => payload.accountId === sub)
      .map(([, { payload }]) => ({ sub, sid: payload.authorizations?.[this.client.client_id]?.sid }));
  }

  /** Ends every session of a person. */
  endSessionsOf(sub: string): void {
    for (const [key, { payload }] of this.live('Session')) if (payload.accountId === sub) this.kept.delete(key);
  }

  private adapterOf(model: string): Adapter {
    const key = (id: string): string => `${model}:${id}`;
    return {
      upsert: async (id, payload, expiresIn) => {
        const expiresAt = expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1_000;
        this.kept.set(key(id), { payload, expiresAt });
      },
      find: async (id) => (model === 'Client' ? this.clientNamed(id) : this.liveAt(key(id))?.payload),
      findByUid: async (uid) => this.live(model).find(([, { payload }]) => payload.uid === uid)?.[1].payload,
      findByUserCode: async () => undefined,
      consume: async (id) => {
        const kept = this.liveAt(key(id));
        if (kept !== undefined) kept.payload.consumed = Math.floor(Date.now() / 1_000);
      },
      destroy: async (id) => void this.kept.delete(key(id)),
      revokeByGrantId: async (grantId) => {
        for (const [at, { payload }] of this.kept) if (payload.grantId === grantId) this.kept.delete(at);
      },
    };
  }

  private clientNamed(id: string): AdapterPayload | undefined {
    return id === this.client.client_id ? (this.client as AdapterPayload) : undefined;
  }

  private liveAt(key: string): Kept | undefined {
    const kept = this.kept.get(key);
    return kept !== undefined && kept.expiresAt > Date.now() ? kept : undefined;
  }

  private live(model: string): [string, Kept][] {
    return [...this.kept].filter(([key, { expiresAt }]) => key.startsWith(`${model}:`) && expiresAt > Date.now());
  }
}
