/** Looks that every element shares: put `controls` first in its `static styles`. */

import { css } from "lit";

export const controls = css`
  :host { display: block; }
  :host([hidden]), [hidden] { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }
  h1, h2, h3, h4, p, ul, ol, dl, dd, figure, fieldset { margin: 0; padding: 0; }
  ul[role="list"], ol[role="list"] { list-style: none; }
  fieldset { border: 0; min-width: 0; }
  h1, h2, h3 { font-weight: 720; line-height: 1.12; letter-spacing: var(--tight); text-wrap: balance; }
  h1 { font-size: var(--text-2xl); }
  h2 { font-size: var(--text-xl); }
  h3 { font-size: var(--text-l); }
  img { display: block; max-width: 100%; }
  a { color: inherit; text-underline-offset: 0.18em; }
  button, input, select, textarea { font: inherit; color: inherit; }
  :focus-visible { outline: 3px solid var(--color-focus); outline-offset: 2px; }

  .visually-hidden {
    position: absolute; width: 1px; height: 1px; margin: -1px;
    overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  .muted { color: var(--color-muted); }
  .small { font-size: var(--text-s); }
  .number { font-variant-numeric: tabular-nums; }

  .button {
    display: inline-flex; align-items: center; justify-content: center; gap: var(--space-2);
    min-height: var(--touch); padding: 0 1.25rem; border: 1px solid var(--color-control); border-radius: var(--radius-full);
    color: var(--color-ink); background: var(--color-surface);
    font-weight: 620; line-height: 1.15; text-align: center; text-decoration: none; cursor: pointer;
    transition: background var(--motion-fast), border-color var(--motion-fast), transform var(--motion-fast);
    -webkit-tap-highlight-color: transparent; touch-action: manipulation;
  }
  .button:hover { background: var(--color-sunken); }
  .button:active { transform: scale(0.98); }
  .button.primary { border-color: transparent; color: var(--color-on-accent); background: var(--color-accent); }
  .button.primary:hover { background: var(--color-accent-strong); }
  .button.quiet { border-color: transparent; background: transparent; }
  .button.quiet:hover { background: var(--color-sunken); }
  .button.danger { color: var(--color-bad); border-color: currentColor; background: transparent; }
  .button.danger:hover { background: var(--color-bad-soft); }
  .button.small { min-height: 2.25rem; padding: 0 0.875rem; font-size: var(--text-s); }
  .button.wide { width: 100%; }
  .button:is(:disabled, [aria-disabled="true"]), .button:is(:disabled, [aria-disabled="true"]):hover {
    border-color: transparent; color: var(--color-muted); background: var(--color-sunken); cursor: not-allowed; transform: none;
  }

  .icon-button {
    display: inline-grid; place-items: center; flex: none; width: var(--touch); height: var(--touch); padding: 0;
    border: 0; border-radius: var(--radius-full); color: inherit; background: transparent; text-decoration: none; cursor: pointer;
    transition: background var(--motion-fast); -webkit-tap-highlight-color: transparent;
  }
  .icon-button:hover { background: color-mix(in srgb, currentColor 10%, transparent); }
  .icon-button:disabled { opacity: 0.4; cursor: not-allowed; }

  .card {
    padding: var(--space-4); border: 1px solid var(--color-line); border-radius: var(--radius-l); background: var(--color-surface);
  }
  .chip {
    display: inline-flex; align-items: center; gap: var(--space-1); padding: 0.2rem 0.625rem; border-radius: var(--radius-full);
    color: var(--color-ink); background: var(--color-sunken); font-size: var(--text-xs); font-weight: 640; white-space: nowrap;
  }
  .chip.live { color: var(--color-on-accent); background: var(--color-accent); letter-spacing: 0.06em; }
  .chip.good { color: var(--color-good); background: var(--color-good-soft); }
  .chip.warn { color: var(--color-warn); background: var(--color-warn-soft); }
  .chip.bad { color: var(--color-bad); background: var(--color-bad-soft); }

  .field { display: grid; gap: 0.375rem; align-content: start; }
  .field > label, .field > .label, .label { font-size: var(--text-s); font-weight: 620; }
  .field .hint { color: var(--color-muted); font-size: var(--text-s); }
  .field .error { display: flex; gap: 0.375rem; color: var(--color-bad); font-size: var(--text-s); font-weight: 560; }
  .input {
    width: 100%; min-height: 3rem; padding: 0.625rem 0.875rem; border: 1px solid var(--color-control);
    border-radius: var(--radius-m); color: var(--color-ink); background: var(--color-surface);
    font-size: max(1rem, 16px); scroll-margin-block: 7rem; transition: border-color var(--motion-fast);
  }
  .input:hover { border-color: var(--color-ink); }
  .input:focus-visible { outline: 2px solid var(--color-focus); outline-offset: 0; border-color: var(--color-focus); }
  .input[aria-invalid="true"] { border-color: var(--color-bad); box-shadow: inset 0 0 0 1px var(--color-bad); }
  .input::placeholder { color: var(--color-muted); opacity: 1; }
  textarea.input { min-height: 6rem; resize: vertical; }
  .check { display: flex; align-items: center; gap: var(--space-3); min-height: var(--touch); cursor: pointer; }
  .check input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--color-accent); }

  .notice {
    display: flex; gap: var(--space-3); align-items: flex-start; padding: var(--space-3) var(--space-4);
    border-radius: var(--radius-m); background: var(--color-sunken); font-size: var(--text-s); line-height: 1.45;
  }
  .notice.bad { color: var(--color-bad); background: var(--color-bad-soft); }
  .notice.warn { color: var(--color-warn); background: var(--color-warn-soft); }
  .notice.good { color: var(--color-good); background: var(--color-good-soft); }
  .notice ui-icon { margin-top: 0.1em; }

  .stack { display: grid; gap: var(--space-4); align-content: start; }
  .row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-3); }
  .spread { display: flex; align-items: baseline; justify-content: space-between; gap: var(--space-4); }
  .empty { display: grid; justify-items: center; gap: var(--space-3); padding: var(--space-7) var(--space-4); text-align: center; }
  .empty > ui-icon { width: 2.75rem; height: 2.75rem; color: var(--color-control); }
  .empty p { max-width: 34ch; color: var(--color-muted); }

  @keyframes breathe { 50% { opacity: 0.45; } }
  .skeleton { border-radius: var(--radius-m); background: var(--color-sunken); animation: breathe 1.8s ease-in-out infinite; }
  @media (prefers-reduced-motion: reduce) {
    *, *::before, *::after { animation-duration: 1ms !important; animation-iteration-count: 1 !important; transition-duration: 1ms !important; }
  }
`;
