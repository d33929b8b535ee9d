import type { ComponentChildren, VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { running, say, stop } from "./answer";
import { catalogue, look } from "./catalogue";
import { ConversationList } from "./conversation_list";
import { begin, change, type Conversation, conversations, currentId, keep, notKept } from "./conversations";
import { Dialog } from "./dialog";
import { Icon } from "./icons";
import { TurnView } from "./message";
import { firstProblem } from "./settings";
import { SettingsPanel } from "./settings_panel";
import { useMedia, useStore } from "./store";

function ModelChoice({ conversation }: { conversation: Conversation }): VNode {
    const models = useStore(catalogue)?.models ?? [];
    const known = models.some((model) => model.name === conversation.model);
    const value = known ? conversation.model : models.find((model) => model.default)?.name ?? "";
    const choose = (name: string) => {
        change(conversation.id, (one) => ({ ...one, model: name }));
        keep(conversation.id);
    };
    // A model that is gone is not asked for.
    useEffect(() => {
        if (models.length > 0 && conversation.model !== "" && !known) choose("");
    }, [models, known, conversation.model]);
    return (
        <select class="model" aria-label="Model" value={value} onChange={(event) => choose(event.currentTarget.value)}>
            {models.length === 0 && <option value="">no model</option>}
            {models.map((model) => (
                <option key={model.name} value={model.name}>
                    {model.name}{model.loaded ? "" : " (not loaded)"}
                </option>
            ))}
        </select>
    );
}

const kMostRows = 10;

function Composer({ conversation, busy, wrong }: { conversation: Conversation; busy: boolean; wrong: string }): VNode {
    const [typed, setTyped] = useState("");
    const ref = useRef<HTMLTextAreaElement>(null);
    useEffect(() => ref.current?.focus({ preventScroll: true }), [conversation.id]);
    const send = () => {
        if (typed.trim() === "" || busy || wrong !== "") return;
        setTyped("");
        say(conversation.id, typed.trim(), conversation.turns.length);
        ref.current?.focus();
    };
    const halt = () => {
        stop(conversation.id);
        ref.current?.focus();
    };
    const onKey = (event: KeyboardEvent) => {
        if (event.key === "Escape" && busy) halt();
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        send();
    };
    return (
        <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
            {wrong !== "" && <p class="hint wrong" role="alert">A setting keeps this from being sent. {wrong}</p>}
            <div class="composer-box">
                <textarea ref={ref} aria-label="Message" placeholder="Say something" value={typed}
                    rows={Math.min(kMostRows, typed.split("\n").length)} enterkeyhint="send"
                    onInput={(event) => setTyped(event.currentTarget.value)} onKeyDown={onKey} />
                {busy
                    ? <button type="button" class="send" onClick={halt}>Stop</button>
                    : <button type="submit" class="send primary" disabled={typed.trim() === "" || wrong !== ""}>Send</button>}
            </div>
            <p class="hint keys">Enter sends, Shift+Enter begins a line, Escape stops the reply.</p>
        </form>
    );
}

const kNearPx = 80;

// Follows the reply as it grows, unless the person has gone to read elsewhere.
function Turns({ conversation, busy }: { conversation: Conversation; busy: boolean }): VNode {
    const ref = useRef<HTMLDivElement>(null);
    const follows = useRef(true);
    const [away, setAway] = useState(false);
    const toEnd = () => {
        follows.current = true;
        setAway(false);
        ref.current?.scrollTo({ top: ref.current.scrollHeight });
    };
    useLayoutEffect(toEnd, [conversation.id, conversation.turns.length]);
    useLayoutEffect(() => {
        if (follows.current) toEnd();
    }, [conversation.turns]);
    const onScroll = () => {
        const box = ref.current;
        if (box === null) return;
        follows.current = box.scrollHeight - box.scrollTop - box.clientHeight < kNearPx;
        setAway(!follows.current);
    };
    const last = conversation.turns.length - 1;
    return (
        <div class="turns-frame">
            <div class="turns" ref={ref} onScroll={onScroll} tabIndex={0} role="region" aria-label="Conversation">
                <div class="column">
                    {conversation.turns.length === 0 ? <Welcome /> : <h1 class="unseen">{conversation.title}</h1>}
                    {conversation.turns.map((turn, at) => (
                        <TurnView key={`${conversation.id}-${at}`} turn={turn}
                            place={{ id: conversation.id, at, last: at === last, busy }} />
                    ))}
                </div>
            </div>
            {away && <button type="button" class="to-end" onClick={toEnd}>To the end</button>}
        </div>
    );
}

function Welcome(): VNode {
    const told = useStore(catalogue);
    return (
        <div class="welcome">
            <img src="./icon.svg" alt="" width="56" height="56" />
            <h1>What is on your mind?</h1>
            <p>What you write goes to the server that this page came from, and nowhere else.</p>
            {told !== null && told.error !== "" && <p class="failed" role="alert">{told.error}</p>}
        </div>
    );
}

interface PanelProps {
    title: string;
    wide: boolean;
    class: string;
    onClose: () => void;
    children: ComponentChildren;
}

// Beside the conversation where there is room, over it where there is not.
function Panel({ title, wide, class: name, onClose, children }: PanelProps): VNode {
    if (!wide) return <Dialog title={title} class={`sheet ${name}`} onClose={onClose}>{children}</Dialog>;
    return (
        <aside class={`panel ${name}`} aria-label={title}>
            <h2>{title}</h2>
            {children}
        </aside>
    );
}

export function Chat(): VNode | null {
    const all = useStore(conversations);
    const id = useStore(currentId);
    const busy = useStore(running).has(id);
    const full = useStore(notKept);
    const roomForList = useMedia("(min-width: 60rem)");
    const roomForSettings = useMedia("(min-width: 75rem)");
    const [listOpen, setListOpen] = useState(false);
    const [settingsOpen, setSettingsOpen] = useState(false);
    useEffect(() => void look(), []);
    const conversation = all.find((one) => one.id === id);
    useEffect(() => {
        if (conversation === undefined) begin();
    }, [conversation === undefined]);
    if (conversation === undefined) return null;
    return (
        <main id="main" class="chat">
            {(roomForList || listOpen) && (
                <Panel title="Conversations" wide={roomForList} class="left" onClose={() => setListOpen(false)}>
                    <ConversationList onChoice={() => setListOpen(false)} />
                </Panel>
            )}
            <section class="talk" aria-label="Chat">
                <div class="toolbar">
                    {!roomForList && (
                        <button type="button" class="icon" aria-label="Conversations" title="Conversations"
                            onClick={() => setListOpen(true)}><Icon sign="menu" /></button>
                    )}
                    <ModelChoice conversation={conversation} />
                    <span class="spring" />
                    {!roomForList && <button type="button" onClick={() => begin()}>New</button>}
                    <button type="button" aria-expanded={settingsOpen} onClick={() => setSettingsOpen(!settingsOpen)}>
                        Settings
                    </button>
                </div>
                {full && <p class="note" role="alert">This browser has no room for the conversation; it is lost when the page is left.</p>}
                <Turns conversation={conversation} busy={busy} />
                <Composer conversation={conversation} busy={busy} wrong={firstProblem(conversation.settings)} />
            </section>
            {settingsOpen && (
                <Panel title="Settings" wide={roomForSettings} class="right" onClose={() => setSettingsOpen(false)}>
                    <SettingsPanel conversation={conversation} />
                </Panel>
            )}
        </main>
    );
}
