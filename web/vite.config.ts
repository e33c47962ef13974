/** How the pages are built and tested; build.mjs adds the files with fixed names, hashes and compression. */

import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** On a slow line a page and its words come at once, and not one after the other: the document names the page itself. */
function preloadThePage(): Plugin {
  return {
    name: 'preload-the-page',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle, chunk }) => {
        const wanted = new Set<string>();
        const want = (file: string): void => {
          const found = bundle?.[file];
          if (found?.type !== 'chunk' || wanted.has(file)) return;
          wanted.add(file);
          found.imports.forEach(want); // what it stands on comes with it
        };
        const page = chunk?.dynamicImports.find((file) => {
          const found = bundle?.[file];
          return found?.type === 'chunk' && found.facadeModuleId?.endsWith('/participant/app.ts') === true;
        });
        if (page !== undefined) want(page);
        if (chunk !== undefined) wanted.delete(chunk.fileName); // the document names it already
        return [...wanted].map((file) => ({ tag: 'link', attrs: { rel: 'modulepreload', href: `/${file}` }, injectTo: 'head' }));
      },
    },
  };
}

/** The public kit of age files: many, and slow. */
const KIT = ['tests/crypto/testkit.test.ts'];

export default defineConfig({
  base: '/',
  plugins: [preloadThePage()],
  build: {
    outDir: '../relay/pages',
    emptyOutDir: true,
    target: ['es2021', 'chrome87', 'firefox91', 'safari15'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['participant.html', 'console.html'] },
  },
  worker: {
    format: 'es',
    // What the worker does is apart from where it starts: libsodium's chunk shares a few lines with the rest, and WebKit
    // runs a worker's first file a second time when another file imports it. There would be two workers in one.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'keys', test: /src.(?:client|crypto).(?!worker)/ }] } } },
  },
  test: {
    testTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/crypto/**/*.ts', 'src/client/**/*.ts', 'src/*/protocol.ts'],
      exclude: ['**/*.d.ts'],
      reporter: [['text', { skipFull: true }]],
      reportsDirectory: '../.cache/coverage-pages',
    },
    projects: [
      { extends: true, test: { name: 'client', include: ['tests/client/**/*.test.ts'], globalSetup: 'tests/client/setup.ts' } },
      { extends: true, test: { name: 'kit', include: KIT, globalSetup: 'tests/seed.ts' } },
      { extends: true, test: { name: 'unit', include: ['tests/**/*.test.ts'], exclude: ['tests/client/**', ...KIT], globalSetup: 'tests/seed.ts' } },
    ],
  },
});
