import { useSyncExternalStore } from 'react'

// Store holds an immutable value and tells whoever listens when it is replaced.
export class Store<T> {
  private listeners = new Set<() => void>()

  constructor(private value: T) {}

  get = (): T => this.value

  set(change: Partial<T>): void {
    this.value = { ...this.value, ...change }
    for (const l of this.listeners) l()
  }

  subscribe = (l: () => void): (() => void) => {
    this.listeners.add(l)
    return () => this.listeners.delete(l)
  }
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get)
}
