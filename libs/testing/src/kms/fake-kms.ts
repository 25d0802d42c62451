import { KmsServer, type KmsReply, type KmsRequest } from './kms-server.js';

/** What goes wrong at a key service: too many requests, an inner failure, no answer at all. */
export type KmsTrouble = 'none' | 'throttled' | 'failing' | 'slow';

/** One provider's API: how it answers, and what its trouble looks like. */
export interface KmsDialect {
  /** The key as the settings name it. */
  key(url: string): string;
  /** The content of a credentials file that is let in, and of one that is not. */
  credentials(url: string): string;
  wrongCredentials(url: string): string;
  answer(request: KmsRequest, url: string): KmsReply;
  throttled: KmsReply;
  failing: KmsReply;
  /** A disabled key encrypts and decrypts nothing. */
  setDisabled(disabled: boolean): void;
  /** A new version of the key encrypts from now on. */
  rotate(): void;
  /** Destroys all versions but the one that encrypts. */
  destroyOldVersions(): void;
  /** Takes back every token and login handed out so far. */
  endSessions(): void;
}

/** A key service that speaks a provider's HTTP API, with switches for its bad days. */
export class FakeKms {
  trouble: KmsTrouble = 'none';
  private readonly server: KmsServer;

  private constructor(private readonly dialect: KmsDialect) {
    this.server = new KmsServer((request) => this.answer(request));
  }

  /** Starts on a free port of 127.0.0.1. */
  static async start(dialect: KmsDialect): Promise<FakeKms> {
    const fake = new FakeKms(dialect);
    await fake.server.start();
    return fake;
  }

  get url(): string {
    return this.server.url;
  }

  get key(): string {
    return this.dialect.key(this.url);
  }

  get credentials(): string {
    return this.dialect.credentials(this.url);
  }

  get wrongCredentials(): string {
    return this.dialect.wrongCredentials(this.url);
  }

  /** Every request that arrived. */
  get requests(): readonly KmsRequest[] {
    return this.server.requests;
  }

  /** Nothing is decrypted or encrypted while the key is disabled. */
  disable(disabled = true): void {
    this.dialect.setDisabled(disabled);
  }

  rotate(): void {
    this.dialect.rotate();
  }

  destroyOldVersions(): void {
    this.dialect.destroyOldVersions();
  }

  endSessions(): void {
    this.dialect.endSessions();
  }

  /** Goes away; `comeBack` listens on the same port. */
  goAway(): Promise<void> {
    return this.server.stop();
  }

  comeBack(): Promise<void> {
    return this.server.start();
  }

  close(): Promise<void> {
    return this.server.stop();
  }

  private answer(request: KmsRequest): KmsReply | undefined {
    if (this.trouble === 'slow') return undefined;
    if (this.trouble === 'throttled') return this.dialect.throttled;
    if (this.trouble === 'failing') return this.dialect.failing;
    return this.dialect.answer(request, this.url);
  }
}
