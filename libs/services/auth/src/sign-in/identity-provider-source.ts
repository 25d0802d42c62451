import type { Secret } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { ClientSecrets } from './client-secret.js';
import { ENVIRONMENT_PROVIDER, type EnvironmentProvider } from './environment-provider.js';
import type { SignInProvider } from './federation.js';
import { allProviders, type ProviderRow } from './identity-provider-rows.js';

/** The providers that people can sign in at now: read at each use, so that every replica goes by the same. */
export class IdentityProviderSource {
  constructor(
    private readonly db: Database,
    private readonly secrets: ClientSecrets,
    private readonly environment: EnvironmentProvider | undefined,
  ) {}

  /** The enabled ones, that of the environment first. */
  async enabled(): Promise<SignInProvider[]> {
    return (await this.all()).filter(({ settings }) => settings.enabled);
  }

  /** An enabled one by its name. */
  async named(name: string): Promise<SignInProvider | undefined> {
    return (await this.enabled()).find((provider) => provider.name === name);
  }

  /** All of them, those too that are switched off. */
  async all(): Promise<SignInProvider[]> {
    const rows = await allProviders(this.db);
    const own = this.environment === undefined ? [] : [ofEnvironment(this.environment)];
    return [...own, ...rows.filter(({ name }) => own.length === 0 || name !== ENVIRONMENT_PROVIDER).map((row) => this.ofRow(row))];
  }

  private ofRow({ name, settings, secretId }: ProviderRow): SignInProvider {
    const secret = async (): Promise<Secret | undefined> => (secretId === null ? undefined : this.secrets.lease(secretId));
    return { name, settings, secret };
  }
}

function ofEnvironment({ settings, secret }: EnvironmentProvider): SignInProvider {
  return { name: ENVIRONMENT_PROVIDER, settings, secret: async () => secret };
}
