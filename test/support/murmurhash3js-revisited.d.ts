/** The one function that tests use; the package brings no types. */
declare module 'murmurhash3js-revisited' {
  const hashes: {
    readonly x86: {
      /** MurmurHash3_x86_32 of bytes, as an unsigned number. */
      hash32(bytes: readonly number[], seed: number): number;
    };
  };
  export default hashes;
}
