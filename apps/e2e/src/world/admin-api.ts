/** An answer of the admin API. */
export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: any;
}

/** A client of the admin API that shows status and body as they are. */
export class AdminApi {
  constructor(
    readonly url: string,
    private readonly token: string | undefined,
  ) {}

  /** Any request; `body` goes as JSON unless it is text. */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': typeof body === 'string' ? 'text/cedar' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** A request that must succeed; throws with the problem otherwise. */
  async ok(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}
