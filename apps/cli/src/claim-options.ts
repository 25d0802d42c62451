import type { Command } from 'commander';

/** Options that say where a person's values stand in a token's claims. */
export interface ClaimOptions {
  nameClaim?: string;
  emailClaim?: string;
  groupsClaim?: string;
}

/** Adds the options of a claim mapping. */
export function withClaimOptions(command: Command): Command {
  return command
    .option('--groups-claim <claim>', "claim with the person's groups; a dot goes into an object (default: groups)")
    .option('--email-claim <claim>', 'claim with the e-mail address (default: email)')
    .option('--name-claim <claim>', 'claim with the name (default: name)');
}

/** The claim mapping: what is named, else what was there, else the usual names. */
export function claimsFrom(options: ClaimOptions, held: { name: string; email: string; groups: string } | undefined): { name: string; email: string; groups: string } {
  return {
    name: options.nameClaim ?? held?.name ?? 'name',
    email: options.emailClaim ?? held?.email ?? 'email',
    groups: options.groupsClaim ?? held?.groups ?? 'groups',
  };
}
