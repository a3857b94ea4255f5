// Keys and certificates made for tests alone: a root, what it issued, and signatures by them. They protect nothing.

import { createPrivateKey } from 'node:crypto'
import { CompactSign } from 'jose'
import type { CompactJWSHeaderParameters } from 'jose'

/** Self-signed; issued all but the impostor. Certificates are base64 of DER, as x5c wants them. */
export const root =
  'MIIDKjCCAhKgAwIBAgIUJOZkjtzY5PzzfCd8BSzV5oTXWtowDQYJKoZIhvcNAQELBQAwHTEbMBkGA1UEAwwSQ2xhdmlnZXIgdGVz' +
  'dCByb290MCAXDTI2MTEyMjA1MTEyM1oYDzIxMjYxMDI5MDUxMTIzWjAdMRswGQYDVQQDDBJDbGF2aWdlciB0ZXN0IHJvb3QwggEi' +
  'MA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDCAFKS2aaLx03xGIPqAs35vlSvEuAwSUU7I9wB9Rn7JDExOnnEmxB4ZuXgdDrz' +
  '1OzkGgyoU2/K4oz3jAc3fPBJ8kyptWOxH1mL2zBpn7d9GYAC2N+Q7rYEb7EAKHStwjU6p+mtFbC7xxa5zgBUtEEpc8BfE2hVjuA8' +
  'teKImfsAVQxOAqCYZD0yYUQ9mXJLunPt5Nk32arcH4L3PY7BI/DYiZDYFimoRmvPgNEfLodTIQJFukwXlXXYTwoU8eD1QNy8mbgu' +
  'yR2AQMCnQb4HOYgneu1jKmMHfD/0bh5zqc3xskZliDiNAnwV9FugDUdq2TFejH8nlVKSW6szptWn2B9TAgMBAAGjYDBeMB0GA1Ud' +
  'DgQWBBRryZwUIIwXJvVreJxwdt+peCa4xDAfBgNVHSMEGDAWgBRryZwUIIwXJvVreJxwdt+peCa4xDAPBgNVHRMBAf8EBTADAQH/' +
  'MAsGA1UdDwQEAwICBDANBgkqhkiG9w0BAQsFAAOCAQEAb5F9E6jPvj0j4nTrjfYsArjy6mEHIeRnpZ9Qr//1MbbrQLYn6BPmYzWn' +
  'B8K43wB4TZOXPw+PllQVeJ7zRQ9BVOik76wYUStoSnimtfUrEgZZXwtSRid5ewJvB7GxWXNQ7tINawxJz9xrjdItz2UqrKoy9hlK' +
  'Mw53ZF2+lWzaEhcUdn/Cnduq4AXaGfxdf6n4p6IRKN40qxhdhiGZQM6lUowKJwui0t6np9siCux2WoeWGGbwTdkUf/4ct92y8PKO' +
  'jhwHJ6Ny7Wgv8pk+c1JwEj6tI4UL0LV37ElPxW7e7/1x0U4FqN2JyxrBUPa4WodLtZwVG2zv3l0X7RP0QVKzwg=='

/** Has the name of the root, but another key. */
export const impostor =
  'MIIDHTCCAgWgAwIBAgIUKecfj9o00nEDP/bpjavQujCWMAowDQYJKoZIhvcNAQELBQAwHTEbMBkGA1UEAwwSQ2xhdmlnZXIgdGVz' +
  'dCByb290MCAXDTI2MTEyMjA1MTEyNFoYDzIxMjYxMDI5MDUxMTI0WjAdMRswGQYDVQQDDBJDbGF2aWdlciB0ZXN0IHJvb3QwggEi' +
  'MA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQC51Fly2+d6hdF3EopeHhD70MOcl3Z9ZR4RE6pwYn8tgZKsonimpuieSSGvOgMy' +
  '2HsPpCfhYBmHiuc2cdXhf2mEL2dPfBCLhysIniZFF0c/w9n3m+U7QY/pKpbezIbLADqiVVsjzTsVM56aHW8Zo7I168RVoyPrDMAf' +
  'KfHsEMQZOC5NvtzBD+pp79qH5Ngu/3xmcPz7Pn/YWQklMCsvGKwu45+2joaW+5xT4DBz507qhZCpNJhky7RZ2y/E4l2WmajpB/7M' +
  'roDrG0rNsbHwsSlXJ74U0nl9/IKf9m5khexEDZab8YoGqaTJZXDzrUBb4d4tmbuYMa4/uNSvXaDloHMHAgMBAAGjUzBRMB0GA1Ud' +
  'DgQWBBTqk/gP2WhfUVWcpjuHsGvVGBEXSTAfBgNVHSMEGDAWgBTqk/gP2WhfUVWcpjuHsGvVGBEXSTAPBgNVHRMBAf8EBTADAQH/' +
  'MA0GCSqGSIb3DQEBCwUAA4IBAQAGKyVzXn6WU6PEjkUhUqlU2DA+UHLQ5Z6vrQBkYZ++xGJqALMRwhQwoe5Pfnk0S2FYpCCXSwq6' +
  'CY8pmT9i0BbysrcXIeuPlvAXZdnsC7rJ+f8s+PElr1L9hCgDspSwYokGmXam9M2a7tJSiXp3aNh2vr8AeQ/HvX5d8Ji0/c1WZxM0' +
  'xqHS/xnpZRA0HoSbr8BWvS79FnT53P4gu4G1iKs82MpOVIXh1p9zo6FSRTUrw6d2/x0Se7WB04NUMj07pV9kk+HrVd/aMEMvRLPX' +
  'UYifeHO3p2MLvbLYV5NF5KyoD6XZkJ7bAhlerBigjZHU442EEmRH7ZKk/fEJvFrARqu7'

/** Of the key that `sign` signs with. */
export const signer =
  'MIICtzCCAZ8CFDxwt7YCaA77qEwFmojtOVs+G7EyMA0GCSqGSIb3DQEBCwUAMB0xGzAZBgNVBAMMEkNsYXZpZ2VyIHRlc3Qgcm9v' +
  'dDAgFw0yNjExMjIwNTExMjRaGA8yMTI2MTAyOTA1MTEyNFowETEPMA0GA1UEAwwGc2lnbmVyMIIBIjANBgkqhkiG9w0BAQEFAAOC' +
  'AQ8AMIIBCgKCAQEA5h2uK1vjZ606VO0LpTpdceOVX2Ofcc603ZpSFshP+e/5LG56qEi9pf1cYEP6NVIXwOQApRYqpwzcILCSGYCU' +
  'uzq3Pzdyq1m2o+Aiopu6ioJOirEDht8d5bJQm7cEmO31rLLRhFKSN5iozfWr2Srk+kwOMto7izpot9D604GEIiaKWSk0+aUnVL27' +
  'A3sI4Oj2zkUHgniUouHkhgghU8Dk6RAwo96lrNRaiCDPvJz4Eo5odZZGSJOr8t0ruagYz3sdjN/+jJDcETA8keqK7+21In2WQIie' +
  'PnH8rshIpnI2HshS5m2rR0BE9lXc9frEsKh87WJ9zqfhYiOqunBYzeg+twIDAQABMA0GCSqGSIb3DQEBCwUAA4IBAQB99MyN5uSI' +
  '8upuAdbLFo1Zl3bOKgknG6QCGpMxFPYf0j+vQnDCMhrmtoKzwDPuChwr4fbJ5wG4RHDaLoEWA/DWy28UDYrSaNaIxFuRx6C/uMOQ' +
  'rhu4QfE1VkVf3xiKzSzt2EqCgoVb96Teq93mS2n0zJXBVhE/4bZPC76/LVrSyj/QFUrI+nOyFN5k+SZE78SL/FM3KWDrMVzy5JSy' +
  'w9h9wilO9qIbHqv3NgE+eCydepBSLqZmfjvFx/2JuT67K/O3vtU20vKttmYeOsBb/qwlLifLA0L75I6V1B/otxr6Ur1SQAZuwHah' +
  'Nqw5XsynTlJL/v3oW6GjmKNum6Hswtoc'

/** Of an RSA key that nobody here has. */
export const stranger =
  'MIICuTCCAaECFDxwt7YCaA77qEwFmojtOVs+G7EzMA0GCSqGSIb3DQEBCwUAMB0xGzAZBgNVBAMMEkNsYXZpZ2VyIHRlc3Qgcm9v' +
  'dDAgFw0yNjExMjIwNTExMjRaGA8yMTI2MTAyOTA1MTEyNFowEzERMA8GA1UEAwwIc3RyYW5nZXIwggEiMA0GCSqGSIb3DQEBAQUA' +
  'A4IBDwAwggEKAoIBAQCthlkRNCgF8DF58p4sQbyEbeyQ4n1thepoE/NQsJHBgmO4UGcykuZykYIw8PVxbF3fRqBKyxyRnScOwjd4' +
  'oLnBSR6q3AQjdc6DyLo0SxJOULzfopbE7VBsB57czUmbun8v/ugWIgeul7oAIngDi8rmVrgDMljqo8+1Zs97I++A5yUBh39f13WT' +
  'tObPWddQDUb4AyuAoxwAD+I41LqAnOdRqENpfy19rNxQTR8YcqFs2c2oI6h7lb2zqdJRB9ipKEUpW+aggj1ypLP6T77QG+x2uRu6' +
  'JFTIEmprATZYII/p1UBA0iFV8JzzxDCfkcy5UySiAImLaP/bdizukYDs/8FVAgMBAAEwDQYJKoZIhvcNAQELBQADggEBAGipIkvj' +
  'ty8B635BES096Yl6IupqmXklZzzlGgcid1rdzfVHSHE2ut98Zo7ubXIcGRMIAhtoiOjBuzM9l+dM/ZhbZBd+mCCAWkwOfszPdZY9' +
  'K6kjdKI+MA9WDg2+JzpnfZQduBJycw4VSjiBojPAO+VjhQ7jeoOw54bAF8XfKjEARrQ7p1mxtolAZBxIy4Iu9/gpzNWMEtK3w6hy' +
  '4yC13Sbu2b9c4m40htxYrxIdM78RYztqndULSfzgHqJ+gqFQI9zLvZHVjHjwBrZKB7dshit20RRxWCCXVIHUeIY1CAfQ41dsSwlQ' +
  '7YSBxcZTUtuHO7tmpxNY9d3TlnQYakx0a/I='

/** Of an RSA key of 1024 bits. */
export const weak =
  'MIICMjCCARoCFDxwt7YCaA77qEwFmojtOVs+G7E0MA0GCSqGSIb3DQEBCwUAMB0xGzAZBgNVBAMMEkNsYXZpZ2VyIHRlc3Qgcm9v' +
  'dDAgFw0yNjExMjIwNTExMjRaGA8yMTI2MTAyOTA1MTEyNFowEDEOMAwGA1UEAwwFc21hbGwwgZ8wDQYJKoZIhvcNAQEBBQADgY0A' +
  'MIGJAoGBAMWrKjsilFZsBengiArijA4YKH6V+7QEc53Ccib3+zsyX4EPkRWkR4bZPS7m0pk7yHHwo8IqEDXL1ZKQs5eRB5gChCoN' +
  'kCdpqbQk5K/BmD2FlwdsMQjy5Y3SwmJCRxaSALSsknj1lRsy+udFUXWCvtPjYsyzxnsYgdlDTknKvrprAgMBAAEwDQYJKoZIhvcN' +
  'AQELBQADggEBAEReRpsfzyr0jMQhlUM1+EADxwR8J+OFncDCkvigEZoI4VO1zRxYgaHYOr1jF4KUsmXPXzwF2W2jQZu0AEtwd1OC' +
  'xd6xuxMJ+jx9MJUY1JFnaohVAhSXWueNmopx05Zd+Dl4/BVmliT7pu+xbU13kVQE5GeuafdHRc3kdqFR+CGoZikxkoAfUF7uKnt9' +
  'eIL7OYpQtrcPnLF4TMs41GsCVKqCjm3DCwf/tQUItCDTlWztd8HpIjZu1pnJGRTv0VKLhgy/2adHIDZyVscHRwFBh2pPPuTrUPWs' +
  'o2sLYflN2OvUMcy4OEek3uLgq+voYUVH/1koTfuSdaYGc0LjqcPR47M='

/** Of an elliptic key. */
export const curve =
  'MIIB6jCB0wIUPHC3tgJoDvuoTAWaiO05Wz4bsTUwDQYJKoZIhvcNAQELBQAwHTEbMBkGA1UEAwwSQ2xhdmlnZXIgdGVzdCByb290' +
  'MCAXDTI2MTEyMjA1MTEyNFoYDzIxMjYxMDI5MDUxMTI0WjAQMQ4wDAYDVQQDDAVjdXJ2ZTBZMBMGByqGSM49AgEGCCqGSM49AwEH' +
  'A0IABJnL4HWNghBBkWCKB7uiXopnY015xv5ow1fr1leyxH5Wd39JUiirqc4/e5uWZSXgQHczoqK9mwz5wuX8Y9nKIvgwDQYJKoZI' +
  'hvcNAQELBQADggEBACozc5R3ErIKIC39G0NQ3mVu5AeteFgLocEQ+/knkvjfwRLtoTGk+ZRcewgdxmOqtI0dgKDtbnhm9PB5yQ+P' +
  'TUee04mmeZT/H4xXoLn67M6lopSNCa+IMoqhKmDkn2KUxLFARJw4/tIiTT5fHdLqIx+E3P5DdSTFlj2DauAZyMeb350GdBAwfbNm' +
  'zDsmGGv/FEtev4q9CunV7OGDr4+bDja6/Neld8QRLu4ULfLFAXwW0BgANyp6mSv1XXL80vsYa8yttDcOwCRPMrMrxRysWWMMJHfG' +
  'ZiZzzauuTmjc+BHDr+3tNGemVpGdWUwlUsvLZ5HCy8PrvNempHDHhpFo/7I='

const signerKey = createPrivateKey({
  key: Buffer.from(
    'MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQDmHa4rW+NnrTpU7QulOl1x45VfY59xzrTdmlIWyE/57/ksbnqo' +
      'SL2l/VxgQ/o1UhfA5AClFiqnDNwgsJIZgJS7Orc/N3KrWbaj4CKim7qKgk6KsQOG3x3lslCbtwSY7fWsstGEUpI3mKjN9avZKuT6' +
      'TA4y2juLOmi30PrTgYQiJopZKTT5pSdUvbsDewjg6PbORQeCeJSi4eSGCCFTwOTpEDCj3qWs1FqIIM+8nPgSjmh1lkZIk6vy3Su5' +
      'qBjPex2M3/6MkNwRMDyR6orv7bUifZZAiJ4+cfyuyEimcjYeyFLmbatHQET2Vdz1+sSwqHztYn3Op+FiI6q6cFjN6D63AgMBAAEC' +
      'ggEAAY3Av80yh2AtjSY+lmKDAAJb31WCXZfaM8bXeAzpMVRT999VF67KDQVdas76sQJ5Y5WGhZbVOeSF1firO93Y4zy9wQEEVrDX' +
      '4VphkXyAsW+4zQnt7qqx/nuKPMrrDodIyd45OO3/y71Nonpeqyw1eJUr4V8E2OdPjrIsB2KP/FUIAb8tSyCBBSOGIT3Q9fERxVrh' +
      'JYqwyToW28QOFe0MXGJnz2Pq4p+Yzod61pVCCIxV40dV5sjwjyt9gDDuDpgJ5uIIfjrCWOOxF+1vXmMSVO5gqfdut5GJ9KjjcNsN' +
      '6/BfT5Emwa6SPwwtBLeUH6q+b/e5qYqTimEvC0ioYwUQwQKBgQD5M+eBIjFSxhX/afqg3gNJKK/BBIVH90ZnrpM6hhAxtPBEG0sT' +
      'GUVT9lHzAmmq2URigIuOaAizT2uE/oVOojvpZ1i880ZtsVQmDBOH/07FPgWtb2RnX/M7fhRQs/rzmbb0QvOvQax3fQ3XGZPeW1pv' +
      'o2GN9Tz5B5t+z83fC211QQKBgQDsZH/fDj2nD1pX8E/7YzSGWbViBI2T4J12j8TTJPiPqbOgSRh5rQY+Uykwk/YzA0W4qEHdH2fF' +
      'YAQ10ADNWErG2X00I/4FSPw006LFt/WXFhnX1ykGj6q1gTWAVtgA3EGIU/NJ7j8W4OIpyrNboglvhFdaJREwHfIWPYmABVPd9wKB' +
      'gH761bHVLHDTAo58//pMZjw3ASdHGGrNMxDNwbOGcGYDnpH1nlGDBPJ9htBeoF0wDEps2a+cjyJfC5he4KpqvEB4Kp1NEMwAGbKx' +
      'YJphm0+iBN6U7gJGv/fGjK96phrObo0UOHtK6YiRLiY2oEQjJHfSNnlRRtpV6AO7+1j1x7aBAoGAE9arVJDhY6/KKS8lxzcgJVZJ' +
      '/pvbNdnX3SdboUys/4GCbaU0xKFcsMZR4p3IP6e6pjCYtnH4R3wzXkDCkHkkbWO7OjD7FH53jAdm1akGl1Nnf9Gyw7Yy4WCimM6w' +
      '+gGCDmrdNAsmiEj/Mfqs6rfCivVUT2Bk/ODGfE9VxsSrsSkCgYA0SLqTJCqs56IFvY9L90TFCK2MjIKg1um0sYgOUJn752cYiScm' +
      '2ruHq0/QiCEldxBP2VlJ884q8jGirjlmBn5Kr0J1Qrcn+MLvEUmXvD7HyxZ8N7rYNXf0DiAHEJ4T4YdVQmjwDBydYjnFu7xC62yi' +
      'wQDKkbJS5lqVrUxjmB2pkw==',
    'base64',
  ),
  format: 'der',
  type: 'pkcs8',
})

/** A compact JWS. An object becomes JSON. */
export function sign(payload: unknown, header: CompactJWSHeaderParameters = { alg: 'RS256' }): Promise<string> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const key = header.alg.startsWith('HS') ? Buffer.alloc(64, 1) : signerKey
  return new CompactSign(Buffer.from(text)).setProtectedHeader(header).sign(key)
}
