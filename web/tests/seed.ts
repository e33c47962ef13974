/** Chooses the seed of every random choice in these tests, prints it, and passes it to all test processes. */

export default function setup(): void {
  process.env['TEST_SEED'] ??= String(Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`relay seed: ${process.env['TEST_SEED']} (TEST_SEED chooses the same again)\n`);
}
