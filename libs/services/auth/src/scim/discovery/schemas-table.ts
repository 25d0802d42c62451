/** The core schema of a user, the one of a group, and the extension for employees (RFC 7643 sections 4.1 to 4.3). */
export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE_SCHEMA = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** An attribute as `/Schemas` tells it (RFC 7643 section 7). */
export interface SchemaAttribute {
  name: string;
  type: 'string' | 'boolean' | 'complex' | 'reference' | 'binary';
  multiValued: boolean;
  description: string;
  required: boolean;
  caseExact: boolean;
  mutability: 'readWrite' | 'readOnly' | 'immutable' | 'writeOnly';
  returned: 'default' | 'always' | 'never';
  uniqueness: 'none' | 'server';
  referenceTypes?: string[];
  canonicalValues?: string[];
  subAttributes?: SchemaAttribute[];
}

/** A schema as `/Schemas` tells it. */
export interface Schema {
  id: string;
  name: string;
  description: string;
  attributes: SchemaAttribute[];
}

const text = (name: string, description: string, more: Partial<SchemaAttribute> = {}): SchemaAttribute => ({
  name,
  type: 'string',
  multiValued: false,
  description,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});

const complex = (name: string, description: string, subAttributes: SchemaAttribute[], more: Partial<SchemaAttribute> = {}): SchemaAttribute =>
  text(name, description, { type: 'complex', subAttributes, ...more });

const many = (name: string, description: string, value: Partial<SchemaAttribute> = {}): SchemaAttribute =>
  complex(
    name,
    description,
    [
      text('value', 'The value.', value),
      text('display', 'How it is shown.'),
      text('type', 'What it is for, like work or home.'),
      text('primary', 'Whether it is the preferred one.', { type: 'boolean' }),
    ],
    { multiValued: true },
  );

const READ_ONLY = { mutability: 'readOnly' } as const;

const USER: Schema = {
  id: USER_SCHEMA,
  name: 'User',
  description: 'A person who may sign in.',
  attributes: [
    text('userName', 'What the directory calls the person; unique, whatever its case.', { required: true, uniqueness: 'server' }),
    complex('name', 'The parts of the name.', [
      text('formatted', 'The whole name.'),
      text('familyName', 'The family name.'),
      text('givenName', 'The given name.'),
      text('middleName', 'The middle names.'),
      text('honorificPrefix', 'A title before the name.'),
      text('honorificSuffix', 'A title after the name.'),
    ]),
    text('displayName', 'The name shown in Gatehouse; else the formatted one, else its parts, else userName.'),
    text('nickName', 'How the person is addressed.'),
    text('profileUrl', 'A page about the person.', { type: 'reference', referenceTypes: ['external'] }),
    text('title', 'The title.'),
    text('userType', 'The relationship to the company.'),
    text('preferredLanguage', 'The language preferred.'),
    text('locale', 'The locale.'),
    text('timezone', 'The time zone.'),
    text('active', 'Whether the person may use Gatehouse. False ends every token, grant and sign-in for good.', { type: 'boolean' }),
    text('password', 'Accepted and dropped: people sign in at the identity provider.', { mutability: 'writeOnly', returned: 'never' }),
    many('emails', 'Addresses; the primary one, else one for work, else the first links a sign-in with the person.'),
    many('phoneNumbers', 'Telephone numbers.'),
    many('ims', 'Instant messaging addresses.'),
    many('photos', 'Pictures.', { type: 'reference', referenceTypes: ['external'] }),
    complex(
      'addresses',
      'Postal addresses.',
      [
        ...['formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country', 'type'].map((name) => text(name, 'A part of the address.')),
        text('primary', 'Whether it is the preferred one.', { type: 'boolean' }),
      ],
      { multiValued: true },
    ),
    complex(
      'groups',
      'The groups the person is in.',
      [
        text('value', 'Id of the group.', READ_ONLY),
        text('$ref', 'Address of the group.', { ...READ_ONLY, type: 'reference', referenceTypes: ['Group'] }),
        text('display', 'Name of the group.', READ_ONLY),
      ],
      { multiValued: true, ...READ_ONLY },
    ),
    many('entitlements', 'Kept as sent; gives nothing in Gatehouse.'),
    many('roles', 'Kept as sent; gives nothing in Gatehouse. Groups mapped to teams do.'),
    many('x509Certificates', 'Certificates.', { type: 'binary', caseExact: true }),
  ],
};

const GROUP: Schema = {
  id: GROUP_SCHEMA,
  name: 'Group',
  description: 'People whom a team may be mapped to.',
  attributes: [
    text('displayName', 'Name of the group; unique, whatever its case. Teams are mapped by it.', { required: true, uniqueness: 'server' }),
    complex(
      'members',
      'The users in the group. Groups inside groups are refused.',
      [
        text('value', 'Id of the user.', { mutability: 'immutable', caseExact: true }),
        text('$ref', 'Address of the user.', { mutability: 'immutable', type: 'reference', referenceTypes: ['User'] }),
        text('display', 'Name of the user.', READ_ONLY),
        text('type', 'What the member is.', { mutability: 'immutable', canonicalValues: ['User'] }),
      ],
      { multiValued: true },
    ),
  ],
};

const ENTERPRISE: Schema = {
  id: ENTERPRISE_SCHEMA,
  name: 'EnterpriseUser',
  description: 'A person as an employee.',
  attributes: [
    ...['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map((name) => text(name, 'Kept as sent.')),
    complex('manager', 'Who the person reports to; kept as sent.', [
      text('value', 'Id of the manager.'),
      text('$ref', 'Address of the manager.', { type: 'reference', referenceTypes: ['User'] }),
      text('displayName', 'Name of the manager.', READ_ONLY),
    ]),
  ],
};

/** Every schema that is served. */
export const SCHEMAS: readonly Schema[] = [USER, GROUP, ENTERPRISE];

/** Attributes of users that are ours to say: left out of what is kept. */
export const OURS: ReadonlySet<string> = new Set(['schemas', 'id', 'meta', 'groups', 'password']);
