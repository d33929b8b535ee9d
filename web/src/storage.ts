// What this browser keeps. Storage may be full, forbidden, or hold what somebody else wrote.

export function read(area: Storage, key: string): unknown {
    try {
        const text = area.getItem(key);
        return text === null ? null : JSON.parse(text);
    } catch {
        return null;
    }
}

// Whether it could be kept.
export function write(area: Storage, key: string, value: unknown): boolean {
    try {
        area.setItem(key, JSON.stringify(value));
        return true;
    } catch {
        return false;
    }
}

export function remove(area: Storage, key: string): void {
    try {
        area.removeItem(key);
    } catch {
        // There was nothing to keep it in.
    }
}

export function keysWith(area: Storage, prefix: string): string[] {
    try {
        return Object.keys(area).filter((key) => key.startsWith(prefix));
    } catch {
        return [];
    }
}
