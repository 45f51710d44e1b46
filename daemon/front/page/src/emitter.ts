// Events with types: who makes one knows nothing of who listens.

export class Emitter<Events> {
  #listeners = new Map<keyof Events, Set<(value: never) => void>>()

  /** Returns what ends the listening. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    let set = this.#listeners.get(name)
    if (!set) this.#listeners.set(name, set = new Set())
    set.add(listener)
    return () => set.delete(listener)
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of [...this.#listeners.get(name) ?? []]) (listener as (value: Events[Name]) => void)(value)
  }
}
