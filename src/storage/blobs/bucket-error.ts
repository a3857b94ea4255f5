// The one place that turns what an S3-compatible store answers, or does not, into the domain's errors; and what keeps a bucket from
// being opened, in words for who set it up. Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

import { DomainError, isDomainError } from '../../core/errors.ts'
import { S3ServiceException } from '@aws-sdk/client-s3'

const usualSeconds = 5

/** Out of reach, throttled, failing, or refusing what it took at the start: nothing a caller did, and a retry may work. */
export function toDomainError(error: unknown): DomainError {
  if (isDomainError(error)) return error
  return new DomainError('unavailable', 'The store of attachments and long documents does not serve at the moment.', {
    cause: briefly(error),
    detail: { retryAfterSeconds: retryAfter(error) },
  })
}

export async function inBucket<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toDomainError(error)
  }
}

export function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket'
}

/** Of what was to be written only if it was not there; or of two who did that at once. */
export function isThereAlready(error: unknown): boolean {
  return statusOf(error) === 412 || statusOf(error) === 409
}

/** The store has no such operation. */
export function isUnknown(error: unknown): boolean {
  return statusOf(error) === 501 || codeOf(error) === 'NotImplemented'
}

export interface Target {
  readonly bucket: string
  /** Where the store is, or whose. */
  readonly at: string
}

/** `right`: what was being tried, as a policy names it. Never repeats a credential. */
export function bucketStartError(error: unknown, { bucket, at }: Target, right: string): DomainError {
  return new DomainError('unavailable', wordsFor(error, { bucket, at }, right), { cause: briefly(error) })
}

function wordsFor(error: unknown, { bucket, at }: Target, right: string): string {
  const code = codeOf(error)
  if (code === 'NoSuchBucket' || (statusOf(error) === 404 && right === 's3:ListBucket')) {
    return `There is no bucket "${bucket}" at ${at}: create it, or is CLAVIGER_S3_BUCKET right?`
  }
  if (code === 'InvalidAccessKeyId' || code === 'SignatureDoesNotMatch') {
    return `${at} does not accept the access key (${code}): are CLAVIGER_S3_ACCESS_KEY_ID and CLAVIGER_S3_SECRET_ACCESS_KEY right?`
  }
  if (statusOf(error) === 403) {
    return `Too few rights on the bucket "${bucket}" at ${at} (${code}): ${right} is needed, beside s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListBucketMultipartUploads.`
  }
  if (code === 'PermanentRedirect' || code === 'AuthorizationHeaderMalformed' || statusOf(error) === 301) {
    return `The bucket "${bucket}" is in another region (${code}): is CLAVIGER_S3_REGION right?`
  }
  if (code === 'CredentialsProviderError') {
    return 'There is no access key for the bucket: set CLAVIGER_S3_ACCESS_KEY_ID and CLAVIGER_S3_SECRET_ACCESS_KEY, or give the machine a role.'
  }
  if (/^E[A-Z_]+$/.test(code) || code === 'TimeoutError') {
    return `${at} cannot be reached (${code}): does it run, and is CLAVIGER_S3_ENDPOINT right?`
  }
  const message = error instanceof Error ? error.message : String(error)
  return `The bucket "${bucket}" at ${at} cannot be used: ${message} (${code || right}).`
}

/** For the log. The SDK's errors carry the request with its signature, and with the session's token where there is one. */
function briefly(error: unknown): Error {
  const brief = new Error(error instanceof Error ? `${codeOf(error)}: ${error.message}` : String(error))
  if (!(error instanceof S3ServiceException)) return brief
  const { httpStatusCode: status, requestId, attempts } = error.$metadata
  return Object.assign(brief, { status, requestId, attempts })
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  // Of the connection when it has one: the SDK names every such error alike.
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
}

function retryAfter(error: unknown): number {
  if (!(error instanceof S3ServiceException)) return usualSeconds
  const header = Number(error.$response?.headers['retry-after'])
  return Number.isInteger(header) && header > 0 && header <= 3600 ? header : usualSeconds
}
