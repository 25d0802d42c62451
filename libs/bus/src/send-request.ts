import type { RequestContract, ServiceName } from '@gatehouse/contracts';
import { Fault, isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { ClientProxy } from '@nestjs/microservices';
import type { z } from 'zod';
import { validInput } from './validation.js';
import { fromWireError } from './wire.js';

/** What asking needs of a Nest client. */
type Sender = Pick<ClientProxy, 'send'>;

/** `Bus.request` over whichever Nest client the adapter has. */
export async function sendRequest<C extends RequestContract>(
  client: Sender,
  caller: ServiceName,
  contract: C,
  input: z.input<C['request']>,
): Promise<z.output<C['reply']>> {
  if (!contract.callers.includes(caller)) throw new Fault(`${caller} may not ask ${contract.subject}`);
  const answer = await ask(client, contract, validInput(contract.request, input));
  const reply = contract.reply.safeParse(answer);
  if (reply.success) return reply.data as z.output<C['reply']>;
  throw new Fault(`the reply to ${contract.subject} does not fit its contract`, { cause: reply.error });
}

// By hand rather than with rxjs' firstValueFrom and timeout: this is on the audit shipping path.
function ask(client: Sender, contract: RequestContract, question: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let answer: unknown;
    const timer = setTimeout(() => {
      asking.unsubscribe();
      reject(new Refusal('service_timeout', { subject: contract.subject }));
    }, contract.timeoutMs);
    const asking = client.send<unknown, unknown>(contract.subject, question).subscribe({
      next: (value) => void (answer = value),
      error: (error: unknown) => {
        clearTimeout(timer);
        reject(refusalFor(error, contract.subject));
      },
      complete: () => {
        clearTimeout(timer);
        resolve(answer);
      },
    });
  });
}

function refusalFor(error: unknown, subject: string): Refusal | Fault {
  if (error instanceof Refusal || error instanceof Fault) return error;
  if (isOversize(error)) return new Refusal('too_large', { subject });
  // An answered error is an object without a prototype of ours; the transport's own are Errors and strings.
  if (isJsonObject(error) && !(error instanceof Error)) return fromWireError(error satisfies JsonObject);
  return new Refusal('service_unavailable', { subject });
}

/** True for the NATS client's error about a payload over the server's own limit. */
export function isOversize(error: unknown): boolean {
  return error instanceof Error && error.message.includes('max_payload');
}
