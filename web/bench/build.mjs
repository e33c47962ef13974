// Builds the page of the benchmark into the folder that is given, with the same tools and targets as the real ones.

import { build } from 'vite';

await build({
  configFile: false,
  logLevel: 'warn',
  root: new URL('.', import.meta.url).pathname,
  worker: { format: 'es' },
  build: { outDir: process.argv[2], emptyOutDir: false, target: ['es2021', 'chrome87', 'firefox91', 'safari15'] },
});
