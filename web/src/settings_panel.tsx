import type { VNode } from "preact";
import { useId } from "preact/hooks";

import { change, type Conversation, keep } from "./conversations";
import { kMore, kSettings, moreProblem, problem, type Setting } from "./settings";

interface FieldProps {
    setting: Setting;
    value: string;
    onChange: (value: string) => void;
}

function Field({ setting, value, onChange }: FieldProps): VNode {
    const id = useId();
    const wrong = problem(setting, value);
    const told = { id, "aria-describedby": `${id}-help`, "aria-invalid": wrong !== "", value };
    return (
        <div class="field">
            <label for={id}>{setting.label}</label>
            {setting.options
                ? (
                    <select {...told} onChange={(event) => onChange(event.currentTarget.value)}>
                        <option value="">default</option>
                        {setting.options.map((option) => <option key={option} value={option}>{option}</option>)}
                    </select>
                )
                : setting.lines
                    ? <textarea {...told} rows={2} onInput={(event) => onChange(event.currentTarget.value)} />
                    : (
                        <input {...told} type="text" inputMode="decimal" autocomplete="off" placeholder="default"
                            onInput={(event) => onChange(event.currentTarget.value)} />
                    )}
            <p class={wrong === "" ? "hint" : "hint wrong"} id={`${id}-help`}>{wrong || setting.help}</p>
        </div>
    );
}

// Of one conversation; the next one begins with the same.
export function SettingsPanel({ conversation }: { conversation: Conversation }): VNode {
    const id = useId();
    const { settings } = conversation;
    const edit = (part: Partial<Conversation>) => {
        change(conversation.id, (one) => ({ ...one, ...part }));
        keep(conversation.id);
    };
    const set = (name: string, value: string) => edit({ settings: { ...settings, [name]: value } });
    const more = settings[kMore] ?? "";
    const wrong = moreProblem(more);
    const given = Object.values(settings).some((value) => value !== "");
    return (
        <form class="settings" onSubmit={(event) => event.preventDefault()}>
            <div class="field">
                <label for={`${id}-system`}>System prompt</label>
                <textarea id={`${id}-system`} rows={4} value={conversation.system}
                    placeholder="What the model is told first"
                    onInput={(event) => edit({ system: event.currentTarget.value })} />
            </div>
            <div class="pairs">
                {kSettings.map((setting) => (
                    <Field key={setting.name} setting={setting} value={settings[setting.name] ?? ""}
                        onChange={(value) => set(setting.name, value)} />
                ))}
            </div>
            <div class="field">
                <label for={`${id}-more`}>Further parameters</label>
                <textarea id={`${id}-more`} class="mono" rows={4} spellcheck={false} value={more}
                    aria-invalid={wrong !== ""} aria-describedby={`${id}-more-help`}
                    placeholder={'{"response_format": {"type": "json_object"}}'}
                    onInput={(event) => set(kMore, event.currentTarget.value)} />
                <p class={wrong === "" ? "hint" : "hint wrong"} id={`${id}-more-help`}>
                    {wrong || "JSON, of anything that chat completions take: tools, a schema, a grammar"}
                </p>
            </div>
            <button type="button" disabled={!given} onClick={() => edit({ settings: {} })}>
                Back to the model's defaults
            </button>
        </form>
    );
}
