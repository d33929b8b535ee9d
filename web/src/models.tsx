import type { ComponentChildren, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

import { spoken } from "./answer";
import { type Act, type Card, catalogue, look, type ModelEntry } from "./catalogue";
import { begin, change } from "./conversations";
import { bytes, count, seconds } from "./format";
import { Page } from "./page";
import { postJson, ServerError } from "./server";
import { useStore } from "./store";

const kEveryMs = 3000;

// How a verdict looks; its words come from the server.
function tone(verdict: string): string {
    if (verdict === "allowed") return "good";
    if (verdict === "allowed_with_duty") return "good";
    if (verdict.startsWith("unknown") || verdict === "review") return "unsure";
    return "bad";
}

function ActRow({ name, act, known }: { name: string; act: Act; known: boolean }): VNode {
    const asks = act.questions.length > 0 ? `Depends on: ${act.questions.join("; ")}?` : "";
    return (
        <div class="act">
            <dt>{name}</dt>
            <dd>
                <span class={`verdict ${tone(act.verdict)}`}>{act.sentence}</span>
                {act.clause !== "" && <span class="clause">{known ? `clause “${act.clause}”` : act.clause}</span>}
                {asks !== "" && <span class="clause">{asks}</span>}
            </dd>
        </div>
    );
}

const kLevels = ["closed", "open weights", "open weights and data information", "open source"];
const kOsaid: Record<string, string> = {
    passed: "passed",
    would_pass_with_changed_terms: "would pass with other terms",
    failed: "failed",
    undetermined: "undetermined",
};

function Openness({ openness }: { openness: Card["openness"] }): VNode {
    return (
        <section class="openness">
            <h3>Openness</h3>
            <p class="level">
                <span class="meter" aria-hidden="true">
                    {kLevels.slice(1).map((name, i) => (
                        <span key={name} class={i < openness.level ? "full" : i < openness.level_at_most ? "maybe" : ""} />
                    ))}
                </span>
                {openness.sentence}
            </p>
            <p class="hint">
                Model Openness Framework: {openness.mof_class === 0 ? "no class" : `class ${"I".repeat(openness.mof_class)}`}.
                {" "}Open Source AI Definition: {kOsaid[openness.osaid] ?? openness.osaid}.
            </p>
            {(openness.cannot.length > 0 || openness.undetermined.length > 0) && (
                <details>
                    <summary>What nobody outside can do with it</summary>
                    <ul>
                        {openness.cannot.map((what) => <li key={what}>{what}</li>)}
                        {openness.undetermined.map((what) => <li key={what}>{what} (could not be determined)</li>)}
                    </ul>
                </details>
            )}
        </section>
    );
}

function CardView({ card }: { card: Card }): VNode {
    const { licence } = card;
    const known = licence.ids.length > 0;
    return (
        <>
            <section>
                <h3>Licence</h3>
                <p class="licence-name">{known ? licence.names.join(" or ") : "unknown"}</p>
                <p class="hint">{licence.why}</p>
                <dl class="acts">
                    <ActRow name="Private use" act={licence.private_use} known={known} />
                    <ActRow name="Commercial use" act={licence.commercial_use} known={known} />
                    <ActRow name="Redistribution" act={licence.redistribution} known={known} />
                </dl>
            </section>
            <Openness openness={card.openness} />
        </>
    );
}

function Release({ card }: { card: ModelEntry["card"] }): VNode | null {
    if (card === null) return null;
    return "error" in card ? <p class="note">Its licence could not be read. {card.error}</p> : <CardView card={card} />;
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): VNode {
    return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function Cache({ cache }: { cache: NonNullable<ModelEntry["cache"]> }): VNode {
    const filled = cache.tokens_used + cache.tokens_kept;
    const share = cache.tokens > 0 ? filled / cache.tokens : 0;
    return (
        <Fact name="Cache">
            {bytes(share * cache.bytes)} of at most {bytes(cache.bytes)}
            <meter min={0} max={1} value={share} aria-label="Share of the cache that is filled" />
        </Fact>
    );
}

function Facts({ model }: { model: ModelEntry }): VNode {
    const { cache } = model;
    return (
        <dl class="facts">
            <Fact name="Context">{count(model.n_ctx)} tokens</Fact>
            <Fact name="Parameters">{model.parameters || "unknown"}</Fact>
            <Fact name="Weights">{[model.quantization, model.format].filter((word) => word !== "").join(", ")}</Fact>
            <Fact name="Family">{model.family || "unknown"}</Fact>
            {model.base === null
                ? <Fact name="Memory">{bytes(model.file_bytes)} of weights{model.loaded ? "" : ", when loaded"}</Fact>
                : <Fact name="Adapter of">{model.base}</Fact>}
            {cache && <Cache cache={cache} />}
        </dl>
    );
}

function state(model: ModelEntry): string {
    if (!model.loaded) return "not loaded";
    if (model.unloads_in_s === null) return "loaded";
    return `loaded; leaves in ${seconds(Math.max(1, model.unloads_in_s))} if idle`;
}

// By Ollama's API an empty prompt loads a model. To unload one, a key has to be an administrator's.
function move(model: ModelEntry): Promise<unknown> {
    return model.loaded
        ? postJson("./heft/stop", { model: model.name })
        : postJson("./api/generate", { model: model.name, prompt: "", stream: false });
}

function ModelCard({ model }: { model: ModelEntry }): VNode {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState("");
    const turn = async () => {
        setBusy(true);
        setError("");
        try {
            await move(model);
            spoken.set(`${model.name} ${model.loaded ? "is being unloaded" : "is loaded"}.`);
        } catch (failure) {
            setError(failure instanceof ServerError ? failure.message : String(failure));
        }
        await look();
        setBusy(false);
    };
    const talk = () => {
        const fresh = begin();
        change(fresh.id, (one) => ({ ...one, model: model.name }));
        location.hash = "#/chat";
    };
    return (
        <article class="card" aria-label={model.name}>
            <header>
                <h2>{model.name}</h2>
                <p class={`state ${model.loaded ? "on" : ""}`}>{state(model)}</p>
                {model.default && <p class="state">answers by default</p>}
            </header>
            <Facts model={model} />
            {model.degraded.length > 0 && (
                <ul class="note">{model.degraded.map((what) => <li key={what}>{what}</li>)}</ul>
            )}
            <Release card={model.card} />
            {error !== "" && <p class="failed" role="alert">{error}</p>}
            <div class="buttons">
                <button type="button" disabled={busy} onClick={() => void turn()}>
                    {model.loaded ? "Unload" : busy ? "Loading…" : "Load"}<span class="unseen"> {model.name}</span>
                </button>
                <button type="button" class="primary" onClick={talk}>
                    Chat<span class="unseen"> with {model.name}</span>
                </button>
            </div>
        </article>
    );
}

export function Models(): VNode {
    const told = useStore(catalogue);
    useEffect(() => {
        void look();
        const timer = setInterval(() => document.hidden || void look(), kEveryMs);
        return () => clearInterval(timer);
    }, []);
    return (
        <Page title="Models">
            <p class="lead">
                What this server can answer with, and what each release allows. It reads the files beside the weights;
                it is no legal advice.
            </p>
            {told !== null && told.error !== "" && <p class="failed" role="alert">{told.error}</p>}
            <div class="cards">{told?.models.map((model) => <ModelCard key={model.name} model={model} />)}</div>
        </Page>
    );
}
