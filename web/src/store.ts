// A value that components look at: setting it draws them again.
import { useEffect, useState } from "preact/hooks";

export class Store<T> {
    private listeners = new Set<(value: T) => void>();

    constructor(private value: T) {}

    get(): T {
        return this.value;
    }

    set(value: T): void {
        if (Object.is(value, this.value)) return;
        this.value = value;
        for (const listener of [...this.listeners]) listener(value);
    }

    update(change: (value: T) => T): void {
        this.set(change(this.value));
    }

    listen(listener: (value: T) => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }
}

export function useStore<T>(store: Store<T>): T {
    const [value, setValue] = useState(() => store.get());
    useEffect(() => {
        setValue(() => store.get());
        return store.listen((next) => setValue(() => next));
    }, [store]);
    return value;
}

// Whether a media query holds now.
export function useMedia(query: string): boolean {
    const [holds, setHolds] = useState(() => matchMedia(query).matches);
    useEffect(() => {
        const list = matchMedia(query);
        const look = () => setHolds(list.matches);
        look();
        list.addEventListener("change", look);
        return () => list.removeEventListener("change", look);
    }, [query]);
    return holds;
}
