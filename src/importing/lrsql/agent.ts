// How SQL LRS names the agent of a document (src/main/lrsql/util/actor.clj): one text of the kind of identifier and its value. It is
// not made to be read back, and of an account not always can be. Knows no database.

/** The Agents it may mean, the likeliest first: several only where an account's name and home page may be parted in several ways. */
export function agentsOf(ifi: string): readonly object[] {
  const end = ifi.indexOf('::')
  if (end < 0) return []
  const [kind, value] = [ifi.slice(0, end), ifi.slice(end + 2)]
  if (kind === 'mbox' || kind === 'mbox_sha1sum' || kind === 'openid') return [{ objectType: 'Agent', [kind]: value }]
  return kind === 'account' ? accountsIn(value) : []
}

/** `name@homePage`: behind an @ that parts them begins an IRI, and where there are several most home pages are web addresses. */
function accountsIn(value: string): readonly object[] {
  const places = [...value.matchAll(/@/g)].map(({ index }) => index)
  const accounts = places
    .map((at) => ({ name: value.slice(0, at), homePage: value.slice(at + 1) }))
    .filter(({ homePage }) => /^[a-z][a-z0-9+.-]*:./i.test(homePage))
  const onTheWeb = accounts.filter(({ homePage }) => /^https?:\/\//i.test(homePage))
  const inOrder = [...onTheWeb, ...accounts.filter((account) => !onTheWeb.includes(account))]
  return inOrder.map((account) => ({ objectType: 'Agent', account }))
}
