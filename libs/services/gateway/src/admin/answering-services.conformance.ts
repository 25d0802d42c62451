import 'reflect-metadata';
import { Serves } from '@gatehouse/bus';
import { accessContracts, authContracts, REQUESTS, signInContracts, type RequestContract } from '@gatehouse/contracts';
import { newId, sealTo } from '@gatehouse/kernel';
import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import type { Neighbours } from '../neighbours.conformance.js';
import { sampleOf } from './json-samples.conformance.js';

/** What the doubles among the neighbours answer themselves. */
const ANSWERED = /entry-key|credential|session-key|digest-key|call-signing-key|verification-keys|snapshot\.get|directory\.get|server\.add|catalogue\.get|entries\.append|caller\.link|issuer-keys\.refresh|identity\.refresh|identity\.obtain|upstream\.discover|connect\.start/;

type Answer = (input: any) => unknown;

/** Policy, auth, audit and vault as far as the admin API asks them: every answer fits its contract, and what was asked is kept. */
export class AnsweringServices {
  readonly asked: { subject: string; input: any }[] = [];
  /** Answers of their own, by subject. */
  readonly answers = new Map<string, Answer>();

  constructor(private readonly neighbours: Neighbours) {
    this.answers.set(authContracts.createToken.subject, (input) => this.#sealedToken(input));
    this.answers.set(signInContracts.createSignInLink.subject, ({ edgeKey, personId }) => ({ sealedPath: sealTo(edgeKey, Buffer.from('/login/link?ticket=a-new-ticket'), signInContracts.signInLinkContext(personId)), expiresAt: 1 }));
    this.answers.set(accessContracts.createServiceAccount.subject, (input) => this.#sealedSecret(accessContracts.createServiceAccount, input));
  }

  /** Begins to answer. */
  async serve(): Promise<void> {
    for (const owner of ['policy', 'auth', 'audit', 'vault'] as const) {
      const contracts = REQUESTS.filter((each) => each.owner === owner && each.callers.includes('gateway') && !ANSWERED.test(each.subject));
      const module = { module: class {}, controllers: [this.#controller(contracts)] };
      const app = await NestFactory.createMicroservice(module, { strategy: this.neighbours.bus(owner).strategy(), logger: false });
      await app.listen();
    }
  }

  /** What was asked of one contract. */
  askedOf({ subject }: RequestContract): any[] {
    return this.asked.filter((each) => each.subject === subject).map(({ input }) => input);
  }

  /** A reply that fits, in force at the edge already. */
  sample({ reply }: RequestContract): any {
    const schema = z.toJSONSchema(reply, { unrepresentable: 'any' });
    const { epoch, policyVersion, directoryVersion } = this.neighbours;
    const answer = sampleOf(schema, schema);
    if (answer.directory !== undefined) answer.directory = { epoch, version: directoryVersion };
    if (answer.snapshot !== undefined) answer.snapshot = { epoch, version: policyVersion };
    if (answer.sealedSecret !== undefined) answer.sealedSecret = null;
    return answer;
  }

  #controller(contracts: readonly RequestContract[]) {
    const { asked, answers } = this;
    class Answers {}
    for (const [at, contract] of contracts.entries()) {
      const answer = (input: any): any => {
        asked.push({ subject: contract.subject, input });
        return (answers.get(contract.subject) ?? (() => this.sample(contract)))(input);
      };
      Object.defineProperty(Answers.prototype, `answer${at}`, { value: answer, writable: true, configurable: true });
      const descriptor = Object.getOwnPropertyDescriptor(Answers.prototype, `answer${at}`)!;
      Serves(contract)(Answers.prototype, `answer${at}`, descriptor as TypedPropertyDescriptor<any>);
      Object.defineProperty(Answers.prototype, `answer${at}`, descriptor);
    }
    Controller()(Answers);
    return Answers;
  }

  #sealedToken({ edgeKey }: { edgeKey: string }) {
    const answer = this.sample(authContracts.createToken);
    const id = newId('token');
    return { ...answer, token: { ...answer.token, id }, sealed: sealTo(edgeKey, Buffer.from('a-new-token'), authContracts.tokenContext(id)) };
  }

  #sealedSecret(contract: RequestContract, { edgeKey }: { edgeKey: string }) {
    const answer = this.sample(contract);
    const sealedSecret = sealTo(edgeKey, Buffer.from('a-new-secret'), accessContracts.clientSecretContext(answer.serviceAccount.id));
    return { ...answer, sealedSecret };
  }
}
