import { TokenRefused } from '../upstreams/upstream-tokens.js';

/** Of a person no usable sign-in is kept: they must sign in anew before an account can be made, or renewed. */
export class SignInNeeded extends TokenRefused {
  constructor() {
    super('login_required');
  }
}
