// The xAPI versions spoken here, and which family a request asks for. Knows nothing of HTTP beyond the header's name.

export type XapiVersion = '1.0' | '2.0'

export const latestVersion: Record<XapiVersion, string> = { '1.0': '1.0.3', '2.0': '2.0.0' }
export const supportedVersions: readonly string[] = ['1.0.0', '1.0.1', '1.0.2', '1.0.3', '2.0.0']

export function parseVersion(header: string | undefined): XapiVersion {
  throw new Error(`not written yet: ${header}`)
}
