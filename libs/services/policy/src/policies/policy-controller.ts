import { Serves } from '@gatehouse/bus';
import { policyContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import type { PolicyDocument } from '@gatehouse/policy-engine';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Policies } from './policies.js';
import { PolicyTests, type PolicyTest } from './policy-tests.js';

type Policy = policyContracts.Policy;

/** Answers for policies. */
@Controller()
export class PolicyController {
  constructor(
    private readonly policies: Policies,
    private readonly tests: PolicyTests,
  ) {}

  /** Writes policies, all or none. */
  @Serves(policyContracts.applyPolicies)
  apply({ actor, policies }: { actor: Actor; policies: PolicyDocument[] }): Promise<{ items: Policy[]; snapshot: SnapshotVersion }> {
    return this.policies.apply(actor, policies);
  }

  /** All policies in force. */
  @Serves(policyContracts.listPolicies)
  async list(): Promise<{ items: Policy[] }> {
    return { items: await this.policies.list() };
  }

  /** One policy in force. */
  @Serves(policyContracts.getPolicy)
  get({ name }: { name: string }): Promise<Policy> {
    return this.policies.get(name);
  }

  /** Takes a policy out of force. */
  @Serves(policyContracts.deletePolicy)
  delete({ actor, name }: { actor: Actor; name: string }): Promise<{ snapshot: SnapshotVersion }> {
    return this.policies.delete(actor, name);
  }

  /** Asks the engine. */
  @Serves(policyContracts.testPolicy)
  test(test: PolicyTest): Promise<z.output<typeof policyContracts.policyAnswer>> {
    return this.tests.ask(test);
  }
}
