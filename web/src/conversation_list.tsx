import type { VNode } from "preact";
import { useState } from "preact/hooks";

import { stop } from "./answer";
import { begin, conversations, currentId, forget, forgetAll } from "./conversations";
import { Question } from "./dialog";
import { Icon } from "./icons";
import { useStore } from "./store";

export function ConversationList({ onChoice }: { onChoice?: () => void }): VNode {
    const all = useStore(conversations).filter((one) => one.turns.length > 0);
    const current = useStore(currentId);
    const [asked, setAsked] = useState<"" | "all" | { id: string; title: string }>("");
    const choose = (id: string) => {
        currentId.set(id);
        onChoice?.();
    };
    const start = () => {
        begin();
        onChoice?.();
    };
    return (
        <div class="list">
            <button type="button" class="wide" onClick={start}>New conversation</button>
            <ul>
                {all.map((one) => (
                    <li key={one.id} class={one.id === current ? "here" : undefined}>
                        <button type="button" class="title" aria-current={one.id === current ? "true" : undefined}
                            onClick={() => choose(one.id)}>{one.title || "Untitled"}</button>
                        <button type="button" class="icon small" aria-label={`Delete “${one.title}”`}
                            onClick={() => setAsked(one)}><Icon sign="close" /></button>
                    </li>
                ))}
            </ul>
            <footer>
                <p class="hint">Kept in this browser alone.</p>
                {all.length > 0 && (
                    <button type="button" class="quiet" onClick={() => setAsked("all")}>Delete all</button>
                )}
            </footer>
            {asked === "all" && (
                <Question title="Delete all conversations?" yes="Delete all" onClose={() => setAsked("")}
                    text={`This browser forgets ${all.length === 1 ? "it" : `all ${all.length} of them`}. There is no other copy.`}
                    onYes={() => {
                        for (const one of all) stop(one.id);
                        forgetAll();
                    }} />
            )}
            {typeof asked === "object" && (
                <Question title="Delete this conversation?" yes="Delete" text={`“${asked.title}” is kept nowhere else.`}
                    onClose={() => setAsked("")}
                    onYes={() => {
                        stop(asked.id);
                        forget(asked.id);
                    }} />
            )}
        </div>
    );
}
