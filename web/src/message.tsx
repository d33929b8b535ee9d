import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { again, goOn, say, showReply } from "./answer";
import { CopyButton } from "./clipboard";
import { Code } from "./code";
import type { Reply, Stats, Turn } from "./conversations";
import { counted, rate, seconds } from "./format";
import { Markdown } from "./markdown";

const kFinishes: Record<string, string> = {
    length: "cut at the longest length",
    stopped: "stopped",
    tool_calls: "calls a tool",
};

function Numbers({ stats, finish }: { stats: Stats | null; finish: string }): VNode {
    const parts: string[] = [];
    if (stats) {
        parts.push(counted(stats.made, "token", "tokens"));
        if (stats.decodeS > 0 && stats.made > 1) parts.push(`${rate((stats.made - 1) / stats.decodeS)} tokens/s`);
        if (stats.firstTokenS > 0) parts.push(`first after ${seconds(stats.firstTokenS)}`);
        const known = stats.cached > 0 ? `, ${stats.cached} of them known` : "";
        parts.push(`prompt ${counted(stats.prompt, "token", "tokens")}${known}`);
    }
    const end = kFinishes[finish];
    if (end !== undefined) parts.push(end);
    return <p class="numbers">{parts.join(" · ")}</p>;
}

function Reasoning({ text, under }: { text: string; under: boolean }): VNode {
    return (
        <details class="reasoning">
            <summary>{under ? "Thinking…" : "Reasoning"}</summary>
            <Markdown text={text} />
        </details>
    );
}

function Degraded({ notes }: { notes: string[] }): VNode {
    return (
        <div class="note" role="note">
            <strong>Not quite as asked</strong>
            <ul>{notes.map((note) => <li key={note}>{note}</li>)}</ul>
        </div>
    );
}

function spaced(json: string): string {
    try {
        return JSON.stringify(JSON.parse(json), null, 2);
    } catch {
        return json; // as far as it has come
    }
}

function Pager({ id, turn }: { id: string; turn: Extract<Turn, { role: "assistant" }> }): VNode | null {
    const n = turn.replies.length;
    if (n < 2) return null;
    return (
        <span class="pager" role="group" aria-label="Replies">
            <button type="button" class="quiet" aria-label="Earlier reply" disabled={turn.shown === 0}
                onClick={() => showReply(id, turn.shown - 1)}>‹</button>
            <span>{turn.shown + 1} of {n}</span>
            <button type="button" class="quiet" aria-label="Later reply" disabled={turn.shown === n - 1}
                onClick={() => showReply(id, turn.shown + 1)}>›</button>
        </span>
    );
}

interface Place {
    id: string; // of the conversation
    at: number; // its turn
    last: boolean;
    busy: boolean;
}

function Failed({ error, id }: { error: string; id: string }): VNode {
    return (
        <div class="failed" role="alert">
            <p>{error}</p>
            <button type="button" onClick={() => again(id)}>Try again</button>
        </div>
    );
}

function ReplyView({ reply, turn, place }: {
    reply: Reply;
    turn: Extract<Turn, { role: "assistant" }>;
    place: Place;
}): VNode {
    const making = reply.finish === "";
    const idle = place.last && !place.busy;
    return (
        <article class="turn assistant" aria-label={`Reply of ${reply.model || "the model"}`} aria-busy={making}>
            <h2 class="who">{reply.model || "…"}</h2>
            {reply.reasoning !== "" && <Reasoning text={reply.reasoning} under={making && reply.text === ""} />}
            {making && reply.text === "" && reply.reasoning === "" && reply.calls.length === 0
                ? <p class="waiting"><span class="unseen">Waiting for the first token</span></p>
                : <Markdown text={reply.text} />}
            {reply.calls.map((call, i) => (
                <Code key={i} language="json" title={`calls ${call.name}`} text={spaced(call.arguments)} />
            ))}
            {reply.finish === "failed" && <Failed error={reply.error} id={place.id} />}
            {reply.degraded.length > 0 && <Degraded notes={reply.degraded} />}
            {!making && (
                <footer>
                    <Numbers stats={reply.stats} finish={reply.finish} />
                    <div class="actions">
                        <Pager id={place.id} turn={turn} />
                        {reply.text !== "" && <CopyButton text={reply.text} what="reply" />}
                        {idle && (
                            <button type="button" class="quiet" onClick={() => again(place.id)}>Regenerate</button>
                        )}
                        {idle && reply.text !== "" && (reply.finish === "length" || reply.finish === "stopped") && (
                            <button type="button" class="quiet" onClick={() => goOn(place.id)}>Continue</button>
                        )}
                    </div>
                </footer>
            )}
        </article>
    );
}

function Editor({ text, onSave, onCancel }: {
    text: string;
    onSave: (text: string) => void;
    onCancel: () => void;
}): VNode {
    const ref = useRef<HTMLTextAreaElement>(null);
    const [typed, setTyped] = useState(text);
    useLayoutEffect(() => {
        ref.current?.focus();
        ref.current?.setSelectionRange(text.length, text.length);
    }, []);
    const save = () => typed.trim() !== "" && onSave(typed);
    const onKey = (event: KeyboardEvent) => {
        if (event.key === "Escape") onCancel();
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        save();
    };
    return (
        <div class="editor">
            <textarea ref={ref} aria-label="Edit the message" value={typed} rows={Math.min(12, typed.split("\n").length + 1)}
                onInput={(event) => setTyped(event.currentTarget.value)} onKeyDown={onKey} />
            <p class="hint">What was said after it is left out.</p>
            <div class="buttons">
                <button type="button" onClick={onCancel}>Cancel</button>
                <button type="button" class="primary" onClick={save} disabled={typed.trim() === ""}>Send</button>
            </div>
        </div>
    );
}

function Said({ text, place }: { text: string; place: Place }): VNode {
    const [editing, setEditing] = useState(false);
    const button = useRef<HTMLButtonElement>(null);
    const leave = () => {
        setEditing(false);
        requestAnimationFrame(() => button.current?.focus());
    };
    const save = (next: string) => {
        leave();
        say(place.id, next, place.at);
    };
    return (
        <article class="turn user" aria-label="You">
            {editing
                ? <Editor text={text} onSave={save} onCancel={leave} />
                : (
                    <>
                        <div class="bubble">{text}</div>
                        <div class="actions">
                            <CopyButton text={text} what="message" />
                            <button ref={button} type="button" class="quiet" disabled={place.busy}
                                onClick={() => setEditing(true)}>
                                Edit<span class="unseen"> message</span>
                            </button>
                        </div>
                    </>
                )}
        </article>
    );
}

export function TurnView({ turn, place }: { turn: Turn; place: Place }): VNode | null {
    if (turn.role === "user") return <Said text={turn.text} place={place} />;
    const reply = turn.replies[turn.shown];
    return reply ? <ReplyView reply={reply} turn={turn} place={place} /> : null;
}
