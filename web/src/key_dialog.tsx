import type { VNode } from "preact";
import { useState } from "preact/hooks";

import { Dialog } from "./dialog";
import { Icon } from "./icons";
import { apiKey, keyWanted, setKey } from "./server";
import { useStore } from "./store";

export function KeyButton(): VNode | null {
    const key = useStore(apiKey);
    const wanted = useStore(keyWanted);
    if (key === "" && !wanted) return null;
    return (
        <button type="button" class="icon" onClick={() => keyWanted.set(true)} aria-label="API key" title="API key">
            <Icon sign="key" />
        </button>
    );
}

export function KeyDialog(): VNode | null {
    const wanted = useStore(keyWanted);
    const key = useStore(apiKey);
    const [typed, setTyped] = useState("");
    if (!wanted) return null;
    const close = () => keyWanted.set(false);
    const save = (event: Event) => {
        event.preventDefault();
        setKey(typed.trim());
        setTyped("");
        close();
    };
    const forget = () => {
        setKey("");
        close();
    };
    return (
        <Dialog title="API key" onClose={close}>
            <form onSubmit={save}>
                <p>
                    {key === "" ? "This server answers to those who have a key." : "The server has a key from you."}{" "}
                    It is kept until this tab is closed, and sent to this server alone.
                </p>
                <label class="field">
                    <span>Key</span>
                    <input
                        type="password"
                        autocomplete="off"
                        spellcheck={false}
                        required
                        value={typed}
                        onInput={(event) => setTyped(event.currentTarget.value)}
                    />
                </label>
                <div class="buttons">
                    {key !== "" && <button type="button" onClick={forget}>Forget it</button>}
                    <button type="submit" class="primary">Use this key</button>
                </div>
            </form>
        </Dialog>
    );
}
