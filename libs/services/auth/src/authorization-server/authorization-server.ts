import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { asRefusalOrFault, Fault } from '@gatehouse/kernel';
import type { Provider } from 'oidc-provider';
import { newProvider, type ProviderParts } from './new-provider.js';
import type { SigningKeys } from './signing-keys.js';

const LOOK_EVERY_MS = 10_000;
const AFTER_TROUBLE_MS = 150;
const TOKEN_PATH = '/token';

/**
 * Our OAuth 2.1 authorization server: oidc-provider around the keys of the moment. A rotation, wherever
 * it was asked for, puts another provider in its place; requests under way end on the old one.
 */
export class AuthorizationServer {
  #provider: Provider | undefined;
  #handle: RequestListener | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #signsWith: string | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: ProviderParts,
    private readonly keys: SigningKeys,
  ) {}

  /** Whether keys are here and requests can be answered. */
  get ready(): boolean {
    return this.#provider !== undefined;
  }

  /** The provider in force; throws while there is none. */
  get provider(): Provider {
    if (this.#provider === undefined) throw new Fault('the authorization server has no keys yet');
    return this.#provider;
  }

  /** Keeps asking the vault for keys: until there are some, then for those another replica rotated to. */
  start(): void {
    void this.#look();
  }

  /** Takes over the keys of this moment; one after another, so that an older answer never replaces a newer. */
  reload(): Promise<void> {
    const done = this.#reloading.then(() => this.#takeOver());
    this.#reloading = done.catch(() => undefined);
    return done;
  }

  /** Answers one request; 503 while there are no keys. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.#handle === undefined) return unavailable(response);
    if (request.url?.split('?', 1)[0] !== TOKEN_PATH) return void this.#handle(request, response);
    this.#onKnownKeys().then(
      () => this.#handle!(request, response),
      (error: unknown) => {
        this.parts.log.warn({ code: asRefusalOrFault(error).code }, 'no key to sign with');
        unavailable(response);
      },
    );
  }

  // A key that was lost and taken out of service must not sign once more because this replica has not looked yet.
  async #onKnownKeys(): Promise<void> {
    const state = await this.keys.stateOfActive();
    if (state === 'active') return;
    const reloaded = this.reload();
    // Tokens of a retired key are good until they end: no reason to refuse one while the vault is away.
    await (state === 'retired' ? reloaded.catch(() => undefined) : reloaded);
  }

  async #takeOver(): Promise<void> {
    const changed = await this.keys.load();
    if (!changed && this.#provider !== undefined && this.#signsWith === this.keys.current?.active.kid) return;
    this.#provider = newProvider(this.parts, this.keys.current!);
    this.#signsWith = this.keys.current!.active.kid;
    this.#handle = this.#provider.callback() as RequestListener;
  }

  /** Stops asking. */
  stop(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    let wait = LOOK_EVERY_MS;
    try {
      await this.reload();
    } catch (error) {
      if (this.#provider === undefined) wait = AFTER_TROUBLE_MS;
      this.parts.log.debug({ code: asRefusalOrFault(error).code }, 'keys of access tokens not leased');
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), wait).unref();
  }
}

function unavailable(response: ServerResponse): void {
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1', 'cache-control': 'no-store' });
  response.end(JSON.stringify({ error: 'temporarily_unavailable', error_description: 'the signing keys are not here; try again' }));
}
