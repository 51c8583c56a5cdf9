// dom.js - the rendering library under one name: Preact's elements and hooks, written with htm's templates.
import { Component, Fragment, h, render } from '../vendor/preact.js';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/hooks.js';
import htm from '../vendor/htm.js';

export const html = htm.bind(h);
export { Component, Fragment, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };

/** Draws the component again when `subscribe` says so; returns nothing.
 * @param {(changed: () => void) => () => void} subscribe returns how to stop
 * @param {any[]} [inputs] */
export function useChanges(subscribe, inputs = []) {
    const [, set] = useState(0);

    useEffect(() => subscribe(() => set((n) => n + 1)), inputs);
}

/** Whether a media query holds now.
 * @param {string} query */
export function useMedia(query) {
    const media = useMemo(() => matchMedia(query), [query]);

    useChanges((changed) => {
        media.addEventListener('change', changed);
        return () => media.removeEventListener('change', changed);
    }, [query]);
    return media.matches;
}
