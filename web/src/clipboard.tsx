import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

import { spoken } from "./answer";

// Where the page is not a secure context (plain HTTP from another machine) there is the old way only.
async function copied(text: string): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const area = document.createElement("textarea");
        area.value = text;
        area.className = "unseen";
        const focused = document.activeElement;
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        if (focused instanceof HTMLElement) focused.focus();
        return done;
    }
}

const kShownMs = 1500;

export function CopyButton({ text, what }: { text: string; what: string }): VNode {
    const [said, setSaid] = useState("");
    useEffect(() => {
        if (said === "") return;
        const timer = setTimeout(() => setSaid(""), kShownMs);
        return () => clearTimeout(timer);
    }, [said]);
    const copy = async () => {
        const done = await copied(text);
        setSaid(done ? "Copied" : "Not copied");
        spoken.set(done ? `The ${what} was copied.` : `The ${what} could not be copied.`);
    };
    return (
        <button type="button" class="quiet" onClick={() => void copy()}>
            {said || "Copy"}<span class="unseen"> {what}</span>
        </button>
    );
}
