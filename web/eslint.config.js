// Strict, type-aware rules; each that is off says why.
import js from '@eslint/js';
import lit from 'eslint-plugin-lit';
import typescript from 'typescript-eslint';

export default typescript.config(
  { ignores: ['node_modules', 'src/client/schema.d.ts'] },
  js.configs.recommended,
  ...typescript.configs.strictTypeChecked,
  ...typescript.configs.stylisticTypeChecked,
  lit.configs['flat/recommended'],
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-irregular-whitespace': ['error', { skipTemplates: true }], // French sentences have no-break spaces
      'no-console': 'error', // nothing is ever said to a console: it might be content
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...typescript.configs.disableTypeChecked },
  {
    files: ['**/*.mjs', 'eslint.config.js'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly', Buffer: 'readonly' } },
    rules: { 'no-console': 'off' }, // a build speaks to whoever started it
  },
);
