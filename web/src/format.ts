// Numbers and times for people.

const kUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(count: number): string {
    let unit = 0;
    while (count >= 1024 && unit + 1 < kUnits.length) {
        count /= 1024;
        ++unit;
    }
    return `${unit === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${kUnits[unit]}`;
}

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value: number): string {
    return grouped.format(value);
}

export function counted(value: number, one: string, many: string): string {
    return `${count(value)} ${value === 1 ? one : many}`;
}

export function rate(perSecond: number): string {
    if (perSecond === 0) return "0";
    return perSecond >= 100 ? count(perSecond) : perSecond.toFixed(perSecond >= 10 ? 1 : 2);
}

export function seconds(value: number): string {
    if (value < 1) return `${Math.max(1, Math.round(value * 1000))} ms`;
    if (value < 60) return `${value.toFixed(1)} s`;
    if (value < 3600) return `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
    return `${Math.floor(value / 3600)} h ${Math.floor((value % 3600) / 60)} min`;
}
