import type { ServerResponse } from 'node:http';

/** The answer of a handler before it is written. */
export interface PendingAnswer {
  status: number;
  location: string | undefined;
  body: string;
}

/** Changes members of an answer in place. */
export type Rewrite = (answer: PendingAnswer) => void | Promise<void>;

/** Hands the answer of a handler that ends its response in one piece to `rewrite` before it goes out. */
export function rewriteAnswer(response: ServerResponse, rewrite: Rewrite): void {
  const end = response.end.bind(response);
  const goOut = async (body: string): Promise<void> => {
    const location = response.getHeader('location');
    const answer: PendingAnswer = { status: response.statusCode, location: location === undefined ? undefined : String(location), body };
    await rewrite(answer);
    response.statusCode = answer.status;
    if (answer.location !== undefined) response.setHeader('location', answer.location);
    if (answer.body !== body) response.setHeader('content-length', Buffer.byteLength(answer.body));
    end(answer.body);
  };
  response.end = ((chunk?: string | Buffer) => {
    goOut(chunk === undefined || typeof chunk === 'function' ? '' : chunk.toString()).catch((error: unknown) => response.destroy(error as Error));
    return response;
  }) as typeof response.end;
}
