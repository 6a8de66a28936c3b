/** Waits for work no longer than that: what hangs in a connection must not keep a process from ending. */
export async function within(timeoutMs: number, work: Promise<void> | void): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
