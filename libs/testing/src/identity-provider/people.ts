/** One person of the company, with the claims that the provider states about her. */
export interface Person {
  sub: string;
  name: string;
  /** Null for a person without an address. */
  email: string | null;
  email_verified: boolean;
  groups: readonly string[];
  /** A disabled person can neither sign in nor use the provider's own session. */
  disabled: boolean;
}

/** What a test says about a person; all else is derived from `sub`. */
export type PersonWish = { sub: string } & Partial<Person>;

/** The people of a provider by `sub`, changeable at any time. */
export class People {
  private readonly bySub = new Map<string, Person>();

  constructor(wishes: readonly PersonWish[]) {
    for (const wish of wishes) this.set(wish);
  }

  /** Adds a person, or changes the given members of one. */
  set(wish: PersonWish): Person {
    const person = { ...(this.bySub.get(wish.sub) ?? defaults(wish.sub)), ...wish };
    this.bySub.set(person.sub, person);
    return person;
  }

  /** The person when she is there and not disabled. */
  active(sub: string): Person | undefined {
    const person = this.bySub.get(sub);
    return person?.disabled === true ? undefined : person;
  }

  /** By what she types on the login page: her `sub` or her address. */
  byLogin(login: string): Person | undefined {
    return this.all().find(({ sub, email }) => sub === login || email === login);
  }

  /** Everybody, disabled or not. */
  all(): readonly Person[] {
    return [...this.bySub.values()];
  }
}

function defaults(sub: string): Person {
  const name = sub.charAt(0).toUpperCase() + sub.slice(1);
  return { sub, name, email: `${sub}@acme.example`, email_verified: true, groups: [], disabled: false };
}
