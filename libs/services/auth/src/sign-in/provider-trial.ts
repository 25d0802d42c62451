import type { ServerMetadata } from 'openid-client';
import { providerProblem } from './provider-answers.js';
import type { ProviderAddress, ProviderMetadataCache } from './provider-metadata.js';
import { SIGN_IN_REFUSALS } from './sign-in-refusal.js';

/** What a trial found, step by step. */
export interface ProviderTrial {
  ok: boolean;
  steps: { step: string; ok: boolean; detail: string }[];
}

const no = (step: string, detail: string): { step: string; ok: boolean; detail: string } => ({ step, ok: false, detail });
const yes = (step: string, detail: string): { step: string; ok: boolean; detail: string } => ({ step, ok: true, detail });

/** Reads a provider's metadata and keys as a sign-in would, and says what it found; nothing of the provider's own text. */
export async function tryProvider(address: ProviderAddress, cache: ProviderMetadataCache): Promise<ProviderTrial> {
  const steps = [];
  try {
    const { metadata } = await cache.of(address);
    steps.push(yes('discovery', 'the metadata was read and names this issuer'), ...featuresOf(metadata), await keysStep(address, metadata, cache));
  } catch (error) {
    steps.push(no('discovery', wordsFor(error)));
  }
  return { ok: steps.every(({ ok }) => ok), steps };
}

function featuresOf(metadata: Readonly<ServerMetadata>): ProviderTrial['steps'] {
  const methods = metadata.code_challenge_methods_supported;
  const algorithms = metadata.id_token_signing_alg_values_supported ?? [];
  return [
    metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined
      ? no('endpoints', 'the authorization or token endpoint is missing')
      : yes('endpoints', 'authorization and token endpoint are there'),
    algorithms.length === 0 ? no('signatures', 'no id_token signature that is accepted here') : yes('signatures', algorithms.join(' ')),
    methods?.includes('S256') === true ? yes('pkce', 'S256') : yes('pkce', 'not advertised; it is sent all the same'),
    metadata.authorization_response_iss_parameter_supported === true
      ? yes('issuer-parameter', 'answers name their issuer')
      : yes('issuer-parameter', 'answers do not name their issuer'),
    yes('sign-out', metadata.end_session_endpoint === undefined ? 'people stay signed in at the provider' : 'people are signed out at the provider too'),
  ];
}

async function keysStep(address: ProviderAddress, { jwks_uri: uri }: Readonly<ServerMetadata>, cache: ProviderMetadataCache): Promise<ProviderTrial['steps'][number]> {
  try {
    const { keys } = (await (await cache.fetchFor(address)(uri ?? '')).json()) as { keys?: unknown };
    return Array.isArray(keys) && keys.length > 0 ? yes('keys', String(keys.length)) : no('keys', 'the key set is empty');
  } catch (error) {
    return no('keys', wordsFor(error));
  }
}

function wordsFor(error: unknown): string {
  return SIGN_IN_REFUSALS[providerProblem(error).reason].title;
}
