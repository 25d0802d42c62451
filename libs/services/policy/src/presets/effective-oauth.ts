import type { upstreamContracts } from '@gatehouse/contracts';

type Oauth = upstreamContracts.UpstreamOauth;

/** The preset's settings under the server's own: member by member, extra parameters name by name. */
export function effectiveOauth(preset: Oauth, own: Oauth): Oauth {
  return { ...preset, ...own, ...together('authorizeParams', preset, own), ...together('tokenParams', preset, own) };
}

function together(member: 'authorizeParams' | 'tokenParams', preset: Oauth, own: Oauth): Oauth {
  if (preset[member] === undefined && own[member] === undefined) return {};
  return { [member]: { ...preset[member], ...own[member] } };
}
