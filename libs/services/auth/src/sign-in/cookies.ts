/** One cookie of ours, which scripts never see and other sites cannot have sent along with a form. */
export interface OwnCookie {
  name: string;
  value: string;
  /** Seconds; zero removes it. */
  maxAge: number;
}

/**
 * Cookies of the sign-in. On https their names begin with `__Host-`, which browsers take from this
 * very host over TLS only: a neighbouring domain cannot plant one (session fixation, login CSRF).
 */
export class Cookies {
  private readonly prefix: string;

  /** By the scheme of the public origin. */
  constructor(private readonly isSecure: boolean) {
    this.prefix = isSecure ? '__Host-' : '';
  }

  /** The text of a `Set-Cookie` header. */
  set({ name, value, maxAge }: OwnCookie): string {
    return `${this.prefix}${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${this.isSecure ? '; Secure' : ''}`;
  }

  /** The text of a `Set-Cookie` header that removes a cookie. */
  clear(name: string): string {
    return this.set({ name, value: '', maxAge: 0 });
  }

  /** The value of a cookie; a name that stands twice is nobody's, since one of the two was planted. */
  read(header: string | undefined, name: string): string | undefined {
    const found = pairs(header).filter(([key]) => key === this.prefix + name);
    return found.length === 1 ? found[0]![1] : undefined;
  }

  /** The names of ours that begin so. */
  namesBeginning(header: string | undefined, start: string): string[] {
    const names = pairs(header).map(([key]) => key);
    return names.filter((key) => key.startsWith(this.prefix + start)).map((key) => key.slice(this.prefix.length));
  }
}

function pairs(header = ''): [string, string][] {
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 1 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()] as [string, string]];
  });
}
