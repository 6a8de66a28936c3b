/** One line of the table. */
export interface Row {
  what: string
  ours: string
  reference: string
  ratio: string
  goal: string
  met: boolean
}
