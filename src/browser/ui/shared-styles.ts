import { css } from 'lit'

/** What all elements look like. Colours follow the page's `color-scheme`, so that light and dark are one sheet. */
export const sharedStyles = css`
  :host {
    display: block;
    --ink: light-dark(#1c2330, #e6eaf2);
    --soft: light-dark(#4f5b6e, #a9b4c6);
    --ground: light-dark(#fbfbfd, #12161d);
    --raised: light-dark(#ffffff, #1a202a);
    --line: light-dark(#d5dbe5, #333d4d);
    --accent: light-dark(#0b5cad, #7db8ff);
    --good: light-dark(#0c6b3a, #62d394);
    --bad: light-dark(#a8141f, #ff8b8b);
    --bad-ground: light-dark(#fdeaea, #3a1518);
    color: var(--ink);
    font:
      16px/1.5 system-ui,
      sans-serif;
  }
  * {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3 {
    line-height: 1.2;
    margin: 0 0 0.5em;
    overflow-wrap: anywhere;
  }
  h1 {
    font-size: 1.75rem;
  }
  h2 {
    font-size: 1.15rem;
  }
  p {
    margin: 0 0 0.8em;
  }
  p,
  li,
  .alarm {
    overflow-wrap: anywhere;
  }
  .card > :last-child {
    margin-bottom: 0;
  }
  a {
    color: var(--accent);
  }
  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
    border-radius: 4px;
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
    background: var(--raised);
    border: 1px solid var(--soft);
    border-radius: 8px;
    padding: 0.45em 0.8em;
    max-width: 100%;
    min-height: 2.5rem;
  }
  button {
    cursor: pointer;
  }
  button.main {
    background: var(--accent);
    border-color: var(--accent);
    color: light-dark(#fff, #0c1522);
    font-weight: 600;
  }
  button:disabled {
    cursor: default;
    opacity: 0.6;
  }
  .card {
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: 12px;
    padding: 1rem 1.1rem;
    margin: 0 0 1rem;
    min-width: 0;
  }
  .soft {
    color: var(--soft);
  }
  .small {
    font-size: 0.875rem;
  }
  .good {
    color: var(--good);
  }
  .bad {
    color: var(--bad);
  }
  .alarm {
    background: var(--bad-ground);
    border: 2px solid var(--bad);
  }
  .tag {
    display: inline-block;
    border: 1px solid var(--line);
    border-radius: 99px;
    padding: 0 0.6em;
    font-size: 0.8125rem;
    color: var(--soft);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    align-items: center;
  }
  .mono,
  code,
  pre {
    font-family: ui-monospace, monospace;
    font-size: 0.875em;
    overflow-wrap: anywhere;
  }
  pre {
    background: var(--ground);
    border: 1px solid var(--line);
    border-radius: 8px;
    padding: 0.8em;
    overflow: auto;
    max-height: 32rem;
    white-space: pre-wrap;
  }
  .scroll {
    overflow-x: auto;
  }
  table {
    border-collapse: collapse;
    width: 100%;
    font-size: 0.875rem;
  }
  th,
  td {
    text-align: left;
    padding: 0.35em 0.8em 0.35em 0;
    border-bottom: 1px solid var(--line);
    vertical-align: top;
  }
  dl {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 0.2em 1em;
    margin: 0;
  }
  dt {
    color: var(--soft);
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`

/** Colours of code, as highlight.js names its parts. */
export const codeStyles = css`
  .hljs-comment,
  .hljs-quote {
    color: var(--soft);
  }
  .hljs-keyword,
  .hljs-section,
  .hljs-name,
  .hljs-selector-tag {
    color: light-dark(#8a1c7c, #e29bff);
  }
  .hljs-string,
  .hljs-attr,
  .hljs-regexp {
    color: light-dark(#0c6b3a, #8ddba7);
  }
  .hljs-number,
  .hljs-literal,
  .hljs-built_in,
  .hljs-type,
  .hljs-title {
    color: light-dark(#0b5cad, #8fc3ff);
  }
`
