import { describe, expect, test } from 'vitest'
import { OutboundPolicy, parseException } from './policy.ts'

const strict = new OutboundPolicy([])
const policyOf = (...items: string[]) => new OutboundPolicy(items.map((item) => parseException(item)!))

/** Why an address behind a public name is refused. */
function judge(policy: OutboundPolicy, address: string, url = 'https://name.example.org/'): string | undefined {
  const target = policy.targetOf(url)
  return typeof target === 'string' ? target : policy.problemWith(target, address)
}

describe('addresses', () => {
  test.each(['93.184.216.34', '8.8.8.8', '2606:2800:220:1::1', '2a00:1450:4001:81b::200e'])(
    '%s is public',
    (address) => {
      expect(judge(strict, address)).toBeUndefined()
    },
  )

  test.each([
    ['this network', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['link-local, metadata of clouds', '169.254.169.254'],
    ['metadata of one cloud', '100.100.100.200'],
    ['protocol assignments', '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['benchmarking', '198.18.0.1'],
    ['6to4 relays', '192.88.99.1'],
    ['multicast', '224.0.0.1'],
    ['multicast', '239.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['mapped', '::ffff:127.0.0.1'],
    ['mapped, though public', '::ffff:8.8.8.8'],
    ['compatible, as it was once', '::127.0.0.1'],
    ['translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64', '64:ff9b:1::7f00:1'],
    ['6to4', '2002:7f00:1::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:80ff:fffe'],
    ['discard', '100::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['benchmarking', '2001:2::1'],
    ['ORCHID', '2001:20::1'],
    ['segment routing', '5f00::1'],
    ['unique local', 'fc00::1'],
    ['unique local', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['never given away', '4000::1'],
    ['no address', 'localhost'],
    ['no address', ''],
  ])('%s: %s is refused', (_, address) => {
    expect(judge(strict, address)).toBeDefined()
  })
})

describe('URLs', () => {
  test.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0177.0.0.1/',
    'https://0x7f.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://017700000001/',
    'https://127.0.0.1./',
    'https://１２７.0.0.1/',
    'https://0/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[0:0:0:0:0:ffff:127.0.0.1]/',
    'https://[fe80::1%25eth0]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://user@example.org/',
    'https://user:password@example.org/',
    'https://example.org@127.0.0.1/',
    'https://example.org:0/',
    'https://localhost:9443/',
    'https://LMS.localhost./',
    'https://8.8.8.8:25/',
    'http://example.org/',
    'http://8.8.8.8/',
    'ftp://example.org/',
    'file:///etc/passwd',
    'data:text/plain,a',
    'https:/\\127.0.0.1',
    '//example.org/',
    'example.org',
    '',
    `https://example.org/${'a'.repeat(2000)}`,
  ])('%s is refused', (url) => {
    expect(strict.targetOf(url)).toBeTypeOf('string')
  })

  test.each([
    'https://example.org/a?b=c',
    'https://EXAMPLE.org:8443/',
    'https://8.8.8.8/',
    'https://xn--bcher-kva.example/',
  ])('%s is judged by where it leads', (url) => {
    expect(strict.targetOf(url)).toBeTypeOf('object')
  })

  test('a name does not say its password in the reason', () => {
    expect(strict.targetOf('https://u:secret@example.org/?token=secret')).not.toContain('secret')
  })

  test('ports of other protocols are refused, whatever the address', () => {
    expect(judge(strict, '8.8.8.8', 'https://example.org:25/')).toBe('port 25 is not for HTTPS')
    expect(judge(strict, '8.8.8.8', 'https://example.org:8443/')).toBeUndefined()
  })
})

describe('exceptions', () => {
  test.each(['localhost', 'localhost:9443', '127.0.0.1', '::1', '127.0.0.0/8'])('%s lets in at localhost', (item) => {
    expect(policyOf(item).targetOf('https://localhost:9443/')).toBeTypeOf('object')
    expect(policyOf(`10.0.0.0/8`).targetOf('https://localhost:9443/')).toContain(
      'CLAVIGER_OUTBOUND_ALLOW does not list',
    )
  })

  test('an address, and no other spelling of it that hides it', () => {
    const policy = policyOf('127.0.0.1')
    expect(policy.targetOf('https://0x7f.1/')).toBeTypeOf('object')
    expect(policy.targetOf('https://127.0.0.2/')).toBeTypeOf('string')
    expect(policy.targetOf('https://[::ffff:7f00:1]/')).toBeTypeOf('string')
  })

  test('a range, for names that lead into it as well', () => {
    const policy = policyOf('10.0.0.0/8', 'fd00::/8')
    expect(judge(policy, '10.1.2.3')).toBeUndefined()
    expect(judge(policy, 'fd12::1')).toBeUndefined()
    expect(judge(policy, '192.168.0.1')).toBeDefined()
  })

  test('a name, wherever it leads, and no name below or beside it', () => {
    const policy = policyOf('lms.internal')
    expect(judge(policy, '10.1.2.3', 'https://LMS.internal./')).toBeUndefined()
    expect(judge(policy, '10.1.2.3', 'https://a.lms.internal/')).toBeDefined()
    expect(judge(policy, '10.1.2.3', 'https://xlms.internal/')).toBeDefined()
  })

  test('a port alone', () => {
    const policy = policyOf('lms.internal:8443', '[::1]:9000', '10.0.0.1:25')
    expect(judge(policy, '10.1.2.3', 'https://lms.internal:8443/')).toBeUndefined()
    expect(judge(policy, '10.1.2.3', 'https://lms.internal/')).toBeDefined()
    expect(policy.targetOf('https://[::1]:9000/')).toBeTypeOf('object')
    expect(policy.targetOf('https://[::1]:9001/')).toBeTypeOf('string')
    expect(policy.targetOf('https://10.0.0.1:25/')).toBeTypeOf('object')
  })

  test('without TLS where it is said, and there alone', () => {
    const policy = policyOf('http://127.0.0.1:9000', 'lms.internal')
    expect(policy.targetOf('http://127.0.0.1:9000/')).toBeTypeOf('object')
    expect(policy.targetOf('http://127.0.0.1:9001/')).toBeTypeOf('string')
    expect(policy.targetOf('https://127.0.0.1:9000/')).toBeTypeOf('object')
    const listed = (host: string) =>
      `CLAVIGER_OUTBOUND_ALLOW lists ${host} for https alone; http is for what CLAVIGER_OUTBOUND_ALLOW lists as http://${host}`
    expect(policy.targetOf('http://lms.internal/')).toBe(listed('lms.internal'))
    expect(policyOf('10.0.0.0/8').targetOf('http://10.0.0.1:8080/')).toBe(listed('10.0.0.1'))
    expect(policyOf('10.0.0.0/8').targetOf('http://127.0.0.1/')).toContain('does not list it')
    expect(judge(policyOf('http://10.0.0.0/8'), '8.8.8.8', 'http://example.org/')).toBe(
      'the URL must begin with https://; http is for what CLAVIGER_OUTBOUND_ALLOW lists as http://example.org',
    )
    expect(judge(policyOf('http://10.0.0.0/8'), '10.0.0.1', 'http://example.org/')).toBeUndefined()
  })

  test.each([
    '',
    'http://',
    'https://example.org',
    'a b',
    'example.org/path',
    'user@example.org',
    '10.0.0.0/33',
    'a:99999',
  ])('%j is none', (item) => {
    expect(parseException(item)).toBeUndefined()
  })
})
