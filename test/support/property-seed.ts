import fc from 'fast-check'

// Property tests draw the same values in every run, so that a run never fails for what it has not changed. To explore: GGEN_SEED=$RANDOM npm run unit
fc.configureGlobal({ seed: Number(globalThis.process?.env.GGEN_SEED ?? 20_261_124) })
