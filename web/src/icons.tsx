// Signs on buttons, drawn rather than written: not every font has them.
import type { VNode } from "preact";

const kPaths = {
    menu: "M3 6h14M3 10h14M3 14h14",
    close: "M5 5l10 10M15 5L5 15",
    system: "M10 3a7 7 0 1 0 0 14 7 7 0 1 0 0-14zM10 4.6a5.4 5.4 0 0 1 0 10.8z",
    light: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 1 0 0-7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1",
    dark: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z",
    key: "M12.5 3.5a4 4 0 1 0 0 8 4 4 0 1 0 0-8M9.6 10.4L3.5 16.5M5.5 14.5l2 2M7.5 12.5l1.5 1.5",
};

export type Sign = keyof typeof kPaths;

export function Icon({ sign }: { sign: Sign }): VNode {
    return (
        <svg class={`sign ${sign}`} width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
            <path d={kPaths[sign]} />
        </svg>
    );
}
