/** How the pages are built and tested; build.mjs adds the files with fixed names, hashes and compression. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: '/',
  build: {
    outDir: '../relay/pages',
    emptyOutDir: true,
    target: ['es2021', 'chrome87', 'firefox91', 'safari15'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ['participant.html', 'console.html'] },
  },
  worker: { format: 'es' },
  test: {
    testTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'client', include: ['tests/client/**/*.test.ts'], globalSetup: 'tests/client/setup.ts' } },
      { extends: true, test: { name: 'rooms', include: ['tests/**/*.test.ts'], exclude: ['tests/client/**'] } },
    ],
  },
});
