import type { VNode } from "preact";
import { useMemo } from "preact/hooks";

import { CopyButton } from "./clipboard";
import { highlighted } from "./highlight";

// A block of code, with its language and a button.
export function Code({ text, language, title }: { text: string; language: string; title?: string }): VNode {
    const shown = useMemo(() => highlighted(text, language), [text, language]);
    return (
        <figure class="code">
            <figcaption>
                <span>{title || language || "text"}</span>
                <CopyButton text={text} what="code" />
            </figcaption>
            <pre tabIndex={0}>
                <code>{shown}</code>
            </pre>
        </figure>
    );
}
