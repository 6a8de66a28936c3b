/** A typed emitter for facts in the past tense. */
export interface Events<Facts> {
  /** Returns the function that stops listening. */
  on<E extends keyof Facts>(event: E, listener: (detail: Facts[E]) => void): () => void
  emit<E extends keyof Facts>(event: E, detail: Facts[E]): void
}

/** A listener's failure goes to `onError`, not to the emitter: the others still hear the fact. */
export function createEvents<Facts>(onError: (error: unknown) => void): Events<Facts> {
  const listeners = new Map<keyof Facts, Set<(detail: never) => void>>()
  return {
    on(event, listener) {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set.add(listener))
      return () => void set.delete(listener)
    },
    emit(event, detail) {
      for (const listener of [...(listeners.get(event) ?? [])]) {
        try {
          ;(listener as (detail: unknown) => void)(detail)
        } catch (error) {
          onError(error)
        }
      }
    },
  }
}
