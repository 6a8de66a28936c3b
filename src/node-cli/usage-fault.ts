import { RegistryError } from '../core/errors.ts'

/** The command line itself is wrong. */
export class UsageFault extends RegistryError<'USAGE'> {
  constructor(message: string, hint: string) {
    super('USAGE', message, { hint })
  }
}
