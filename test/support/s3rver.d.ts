// What test/support/bucket.ts uses of s3rver, which declares no types.

declare module 's3rver' {
  import type { Server } from 'node:http'

  export interface Context {
    readonly method: string
    readonly path: string
    readonly query: Readonly<Record<string, string>>
    readonly req: NodeJS.ReadableStream
    status: number
    type: string
    body: unknown
    set(name: string, value: string): void
  }

  export default class S3rver {
    constructor(options: {
      address: string
      port: number
      silent: boolean
      directory: string
      configureBuckets: readonly { readonly name: string }[]
    })
    readonly middleware: ((context: Context, next: () => Promise<void>) => Promise<void>)[]
    readonly context: { store: unknown }
    store: unknown
    readonly httpServer: Server
    run(): Promise<{ readonly port: number }>
    close(): Promise<void>
  }
}

declare module 's3rver/lib/stores/filesystem.js' {
  export interface SentObject {
    readonly bucket: string
    readonly key: string
    readonly content: NodeJS.ReadableStream
    readonly metadata: object
  }

  export default class FilesystemStore {
    constructor(directory: string)
    getResourcePath(bucket: string, key: string | undefined, resource: string): string
    putMetadata(bucket: string, key: string, metadata: object, md5: string): Promise<void>
    putObject(object: SentObject): Promise<{ readonly md5: string; readonly size: number }>
    putPart(
      bucket: string,
      uploadId: string,
      partNumber: string,
      content: NodeJS.ReadableStream,
    ): Promise<{ readonly md5: string; readonly size: number }>
    deleteObject(bucket: string, key: string): Promise<void>
  }
}
