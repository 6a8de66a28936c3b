/** Sets a key as the newest of a map, which forgets its oldest beyond `maxEntries`. */
export function setRecent<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, maxEntries: number): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next()
  if (map.size > maxEntries && !oldest.done) map.delete(oldest.value)
}
