import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { authContracts } from '@gatehouse/contracts';

/** Metadata key of what a route demands. */
export const NEEDS = 'gatehouse:needs';

/** What a route demands: one capability, any signed-in person, or nobody in particular. */
export type Need = authContracts.Capability | 'signed-in' | 'nobody';

/** Declares what a route demands. A route without it is refused to everybody. */
export function Needs(need: Need): CustomDecorator {
  return SetMetadata(NEEDS, need);
}
