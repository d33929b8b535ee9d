import "./style/all.css";

import type { VNode } from "preact";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { spoken } from "./answer";
import { look } from "./catalogue";
import { Chat } from "./chat";
import { KeyButton, KeyDialog } from "./key_dialog";
import { Live } from "./live";
import { Models } from "./models";
import { apiKey } from "./server";
import { useStore } from "./store";
import { ThemeButton } from "./theme";

interface View {
    hash: string;
    name: string;
    show: () => VNode | null;
}

const kViews: View[] = [
    { hash: "#/chat", name: "Chat", show: Chat },
    { hash: "#/models", name: "Models", show: Models },
    { hash: "#/live", name: "Live", show: Live },
];

function viewNow(): View {
    return kViews.find((view) => view.hash === location.hash) ?? kViews[0]!;
}

apiKey.listen(() => void look());

function App(): VNode {
    const [view, setView] = useState(viewNow);
    const said = useStore(spoken);
    const key = useStore(apiKey);
    const body = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const go = () => {
            setView(viewNow());
            body.current?.focus({ preventScroll: true });
        };
        addEventListener("hashchange", go);
        return () => removeEventListener("hashchange", go);
    }, []);
    useEffect(() => {
        document.title = `${view.name} · heft`;
    }, [view]);
    const skip = (event: Event) => {
        event.preventDefault();
        body.current?.focus();
    };
    const Shown = view.show;
    return (
        <>
            <a class="skip" href="#main" onClick={skip}>To the content</a>
            <header class="bar">
                <a class="brand" href="#/chat" aria-label="heft">
                    <img src="./icon.svg" alt="" width="26" height="26" />
                    <span aria-hidden="true">heft</span>
                </a>
                <nav aria-label="Views">
                    {kViews.map((one) => (
                        <a key={one.hash} href={one.hash} aria-current={one === view ? "page" : undefined}>{one.name}</a>
                    ))}
                </nav>
                <span class="spring" />
                <KeyButton />
                <ThemeButton />
            </header>
            <div class="body" ref={body} tabIndex={-1}><Shown key={key} /></div>
            <p class="unseen" role="status" aria-live="polite">{said}</p>
            <KeyDialog />
        </>
    );
}

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
