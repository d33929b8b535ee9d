// Lines over the last minutes, as SVG.
import type { RefObject, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface Line {
    name: string;
    class: string; // its colour and stroke, in style/views.css
    points: { at: number; value: number }[]; // seconds, oldest first
}

const kHeight = 220;
const kLeft = 44;
const kRight = 12;
const kTop = 10;
const kBottom = 24;
const kTicks = 4;

// The least of 1, 2, 5 times a power of ten that holds the values.
function top(lines: Line[]): number {
    const most = Math.max(1, ...lines.flatMap((line) => line.points.map((point) => point.value)));
    const power = 10 ** Math.floor(Math.log10(most));
    return power * ([1, 2, 5, 10].find((step) => step * power >= most) ?? 10);
}

function short(value: number): string {
    if (value >= 10000) return `${Math.round(value / 1000)}k`;
    if (value >= 1000) return `${+(value / 1000).toFixed(1)}k`;
    return `${+value.toFixed(2)}`;
}

function useWidth(): [RefObject<HTMLDivElement | null>, number] {
    const ref = useRef<HTMLDivElement>(null);
    const [width, setWidth] = useState(600);
    useEffect(() => {
        if (ref.current === null) return;
        const observer = new ResizeObserver((entries) => {
            const box = entries[0]?.contentRect;
            if (box && box.width > 0) setWidth(Math.round(box.width));
        });
        observer.observe(ref.current);
        return () => observer.disconnect();
    }, []);
    return [ref, width];
}

interface Props {
    lines: Line[]; // what is below the first one is tinted
    spanS: number;
    now: number; // s
    label: string;
}

export function Plot({ lines, spanS, now, label }: Props): VNode {
    const [ref, width] = useWidth();
    const high = top(lines);
    const x = (at: number) => kLeft + (1 - (now - at) / spanS) * (width - kLeft - kRight);
    const y = (value: number) => kTop + (1 - value / high) * (kHeight - kTop - kBottom);
    const seen = (line: Line) => line.points.filter((point) => now - point.at <= spanS);
    const path = (line: Line) =>
        seen(line)
            .map((point, i) => `${i === 0 ? "M" : "L"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`)
            .join("");
    const below = (line: Line) => {
        const [first, last] = [seen(line)[0], seen(line).at(-1)];
        return first && last ? `${path(line)}L${x(last.at).toFixed(1)} ${y(0)}L${x(first.at).toFixed(1)} ${y(0)}Z` : "";
    };
    const rows = Array.from({ length: kTicks + 1 }, (_, i) => (high * i) / kTicks);
    const minutes = Array.from({ length: Math.floor(spanS / 60) + 1 }, (_, i) => i);
    return (
        <div class="plot" ref={ref}>
            <svg width={width} height={kHeight} viewBox={`0 0 ${width} ${kHeight}`} role="img" aria-label={label}>
                {rows.map((value) => (
                    <g key={value}>
                        <line class="grid" x1={kLeft} x2={width - kRight} y1={y(value)} y2={y(value)} />
                        <text x={kLeft - 8} y={y(value) + 4} text-anchor="end">{short(value)}</text>
                    </g>
                ))}
                {minutes.map((minute) => (
                    <text key={minute} x={x(now - minute * 60)} y={kHeight - 6}
                        text-anchor={minute === 0 ? "end" : "middle"}>
                        {minute === 0 ? "now" : `−${minute} min`}
                    </text>
                ))}
                {lines[0] && <path class="area" d={below(lines[0])} />}
                {lines.map((line) => <path key={line.name} class={`line ${line.class}`} d={path(line)} />)}
            </svg>
        </div>
    );
}
