/**
 * Lint rules. Every rule is an error or off: a warning that nobody has to act on is noise.
 *
 * Three groups: what the compiler cannot see (promises left alone, `any`, unfinished switches), the house (who may import
 * whom, who may read the environment: see scripts/eslint/house-imports.ts), and size (a file that no longer fits in a head).
 */
import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { houseImports } from './scripts/eslint/house-imports.ts';

/** Where the environment may be read: the process itself, and what is run by hand. */
const MAY_READ_ENVIRONMENT = ['server.ts', 'scripts/**', 'deploy/**', 'bench/**', 'test/**', 'clients/**'];

export default defineConfig(
  globalIgnores([
    'clients/typescript/src/api.ts',
    'docs/examples/',
    'node_modules/',
    '.tap/',
    'data/',
    'coverage/',
    '**/dist/',
  ]),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
  },
  eslint.configs.recommended,
  {
    name: 'typescript',
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unnecessary-boolean-literal-compare': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true, allowNever: true },
      ],
      // A Fastify plugin or handler is `async` by contract, whether it waits for something or not.
      '@typescript-eslint/require-await': 'off',
      // noPropertyAccessFromIndexSignature asks for the brackets that this rule would take away.
      '@typescript-eslint/dot-notation': 'off',
      // It would ask for the `!` that no-non-null-assertion forbids.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // A type alias and an interface are both fine where they are used.
      '@typescript-eslint/consistent-type-definitions': 'off',
      eqeqeq: ['error', 'always'],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Node runs types by stripping them: use a union of literals.' },
      ],
      'object-shorthand': 'error',
      'prefer-template': 'error',
    },
  },
  {
    name: 'the house',
    files: ['**/*.ts'],
    plugins: { house: { rules: { imports: houseImports } } },
    rules: { 'house/imports': 'error' },
  },
  {
    name: 'the environment is read in one place',
    files: ['**/*.ts'],
    ignores: MAY_READ_ENVIRONMENT,
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only server.ts reads the environment; take what you need from Config.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: ['process', 'node:process'].map((name) => ({
            name,
            importNames: ['env'],
            message: 'Only server.ts reads the environment; take what you need from Config.',
          })),
        },
      ],
      // People read the log, and the log goes through pino.
      'no-console': 'error',
    },
  },
  {
    name: 'size',
    files: ['**/*.ts'],
    ignores: ['test/**'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-depth': ['error', 4],
      complexity: ['error', 20],
    },
  },
  {
    name: 'tests',
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 600 }],
      // A test looks into answers of any shape; a wrong guess fails the test, which is what it is for.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // tap runs its tests in order by itself and fails the file where one fails: t.test() need not be awaited.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }] },
      ],
    },
  },
  {
    name: 'scripts in plain JavaScript',
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', __dirname: 'readonly' } },
    rules: { 'no-var': 'off' },
  },
);
