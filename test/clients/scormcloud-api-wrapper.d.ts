// The part of scormcloud-api-wrapper that reaches this server: it brings no types.

declare module 'scormcloud-api-wrapper' {
  type Callback = (error: (Error & { readonly message: string }) | null | undefined, data: unknown) => void

  export default class SCORMCloud {
    constructor(appid: string, secretKey: string, managementid?: string, managementKey?: string)
    serviceUrl: string
    authPing(callback: Callback): void
    getCourseList(options: object, callback: Callback): void
    /** What all its methods are made of: signs, sends, reads. */
    _request(url: URL, callback: Callback): void
  }
}
