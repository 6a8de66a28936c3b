export interface NodeOptions {
  /** Folder for keys, cache and log, as `GGEN_HOME`. */
  home: string
  /** Settings by `section.key`, as in p2p-config.toml; the rest has its defaults. */
  settings?: Readonly<Record<string, unknown>>
  /** `daemon` is a full peer. `client` asks others and serves nobody; `offline` has no network. */
  mode?: 'daemon' | 'client' | 'offline'
}
