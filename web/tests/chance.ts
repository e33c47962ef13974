/** fast-check, seeded with the seed of this run. */

import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['TEST_SEED']) });

export default fc;
