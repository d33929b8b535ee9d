import type { ComponentChildren, VNode } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { Icon } from "./icons";

interface Props {
    title: string;
    class?: string;
    onClose: () => void;
    children: ComponentChildren;
}

// A modal dialog: the browser keeps the focus in it, gives it back afterwards, and closes it on Escape.
export function Dialog({ title, class: name, onClose, children }: Props): VNode {
    const ref = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const dialog = ref.current;
        const before = document.activeElement;
        dialog?.showModal();
        return () => {
            dialog?.close();
            if (before instanceof HTMLElement) before.focus();
        };
    }, []);
    const onBackdrop = (event: MouseEvent) => {
        if (event.target === ref.current) onClose();
    };
    return (
        <dialog ref={ref} class={name} aria-labelledby={id} onCancel={onClose} onClick={onBackdrop}>
            <div class="dialog-body">
                <header class="dialog-head">
                    <h2 id={id}>{title}</h2>
                    <button type="button" class="icon" onClick={onClose} aria-label="Close">
                        <Icon sign="close" />
                    </button>
                </header>
                {children}
            </div>
        </dialog>
    );
}

interface QuestionProps {
    title: string;
    text: string;
    yes: string;
    onYes: () => void;
    onClose: () => void;
}

export function Question({ title, text, yes, onYes, onClose }: QuestionProps): VNode {
    const agree = () => {
        onYes();
        onClose();
    };
    return (
        <Dialog title={title} onClose={onClose}>
            <p>{text}</p>
            <div class="buttons">
                <button type="button" onClick={onClose}>Cancel</button>
                <button type="button" class="danger" onClick={agree}>{yes}</button>
            </div>
        </Dialog>
    );
}
