// Pins narrow what a principal reaches to one actor, registration or activity. They are never dropped by a change of rights.

export interface Pins {
  /** Any one of these identities. An account without `homePage` matches any homePage. */
  readonly actor?: readonly ActorPin[]
  readonly registration?: RegistrationPin
  /** The object, or a parent or grouping activity, is this id or begins with it + `/`. */
  readonly activity?: string
}

export type ActorPin = { readonly mbox: string } | { readonly accountName: string; readonly homePage?: string }

export interface RegistrationPin {
  readonly id: string
  /** `required`: every statement must carry it (cmi5). `whenPresent`: a statement without a registration passes (Tin Can). */
  readonly mode: 'required' | 'whenPresent'
}

export const noPins: Pins = {}
