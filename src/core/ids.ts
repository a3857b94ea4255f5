// Branded identifiers, so that one tenant's id cannot be passed where another noun's is expected.

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]: Name }

/** Positive integer. */
export type OrganisationId = Branded<number, 'OrganisationId'>
/** Positive integer, unique over all organisations. */
export type LrsId = Branded<number, 'LrsId'>
/** Positive integer, unique over all organisations. Also the owner of what a credential stores. */
export type CredentialId = Branded<number, 'CredentialId'>
/** Positive integer, unique over all organisations. */
export type SessionId = Branded<number, 'SessionId'>
/** Lower-case UUID. */
export type SecretId = Branded<string, 'SecretId'>
/** 24 lower-case hex digits: four bytes of time, eight random ones. */
export type Oid = Branded<string, 'Oid'>
/** Ten of A-Z and 0-9, unique over all organisations: paths name it. */
export type ApplicationId = Branded<string, 'ApplicationId'>
/** Lower-case UUID. */
export type PipeId = Branded<string, 'PipeId'>
/** `[a-z0-9][a-z0-9-]{1,62}`, unique over all organisations: the paths of launches name nothing else. */
export type PlatformId = Branded<string, 'PlatformId'>
/** Lower-case UUID; the session id of cmi5. */
export type LaunchId = Branded<string, 'LaunchId'>
/** The stored time of a statement: integer microseconds since the Unix epoch, unique per Lrs. */
export type Seq = Branded<number, 'Seq'>

/** The largest integer id that is accepted from outside. */
export const maxId = 2 ** 31 - 1
