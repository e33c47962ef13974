/** Text files that the build inlines. */

declare module '*.txt?raw' {
  const text: string;
  export default text;
}
