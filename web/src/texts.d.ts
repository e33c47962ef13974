/** Texts that the build puts into the pages as they are. */

declare module '*.txt?raw' {
  const text: string;
  export default text;
}
