// The part of the client that the tests use; the package ships no types.

declare module '@rusticisoftware/scormcloud-api-v2-client-javascript' {
  const library: Record<string, any>
  export default library
}
