import * as t from 'typanion'

/** Numbers as options take them; a wrong one names the option. */
export const wholeNumber = (min: number, max: number) =>
  t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(min, max)])
export const seconds = t.cascade(t.isNumber(), [t.isInInclusiveRange(0.1, 3600)])
